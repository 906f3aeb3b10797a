// nginx with `proxy_cache`, as people set it up before a registry: whole blobs, or in slices.
import { join } from 'node:path';
import { need } from '../../test/lab/need.ts';
import { configureNginx, startNginx } from '../../test/lab/nginx.ts';
import { freePort } from '../../test/lab/process.ts';
import { said } from './said.ts';
import type { Kind } from './server.ts';

const absent = need('nginx') || undefined;

export const nginx: Kind = { name: 'nginx', peer: true, missing: absent, start: (...args) => start(...args, whole) };

export const nginxSlice: Kind = {
  name: 'nginx slice',
  peer: true,
  missing: absent ?? withoutSlice(),
  start: (...args) => start(...args, sliced),
};

const whole = 'proxy_cache_key $uri;';
const sliced = 'slice 4m; proxy_cache_key $uri$slice_range; proxy_set_header Range $slice_range;';

function withoutSlice(): string | undefined {
  return said('nginx', '-V').includes('http_slice_module') ? undefined : 'this nginx has no slice module';
}

/** `blobs`: how it keeps them. Manifests are kept whole in either case. */
async function start(directory: string, upstream: string, blobs: string) {
  const port = await freePort('127.0.0.1');
  const own = join(directory, 'nginx');
  // Without these two limits, whoever waits for a running download starts one more every five seconds.
  const lock = 'proxy_cache_lock on; proxy_cache_lock_timeout 1h; proxy_cache_lock_age 1h;';
  const http = `
    access_log off;
    proxy_cache_path ${own}/cache levels=1:2 keys_zone=blobs:10m inactive=1d use_temp_path=off;
    upstream origin { server ${new URL(upstream).host}; keepalive 16; }
    server {
      listen 127.0.0.1:${port};
      proxy_cache blobs;
      proxy_cache_valid 200 206 1d;
      ${lock}
      proxy_http_version 1.1;
      proxy_set_header Connection '';
      location / { proxy_pass http://origin; proxy_cache_key $uri; }
      location ~ /blobs/ { proxy_pass http://origin; ${blobs} }
    }`;
  await configureNginx(own, http);
  const running = await startNginx(own, '127.0.0.1', port);
  return { url: `http://127.0.0.1:${port}`, pid: running.pid, stop: () => running.stop() };
}
