// What a configuration means: defaults, files, overrides, and who wins.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { catalogue } from '../../../src/core/upstream/catalogue.ts';
import { type Flags, readConfig } from '../../../src/node/config/config.ts';
import { read, temporaryDirectory } from './reading.ts';

const nothing = { flags: {}, environment: {}, directory: '/somewhere' };

test('with no configuration at all, the catalogue is served on the loopback', async () => {
  const { registries, ...rest } = await readConfig(nothing);
  assert.deepEqual(rest, {
    listen: { host: '127.0.0.1', port: 5050 },
    data: '/somewhere/data',
    storage: { limit: 50_000_000_000, scrub: 30 * 86_400_000 },
    sendfile: true,
    access: { kind: 'open' },
    trustedPeers: [],
    tls: undefined,
    tlsNotice: undefined,
    edge: undefined,
    key: undefined,
    accounts: [],
    passwords: undefined,
    rules: [],
    hosts: {},
    resolve: {},
    dns: undefined,
    via: undefined,
    pullAhead: 3,
    proxy: undefined,
    limits: undefined,
    admin: undefined,
    log: { level: 'info' },
    sentry: undefined,
    stopWithin: 30_000,
  });
  assert.deepEqual(
    registries.map(({ name }) => name),
    catalogue.map(({ name }) => name),
  );
  assert.ok(registries.every(({ freshFor, staleFor }) => freshFor === 60_000 && staleFor === 86_400_000));
  assert.ok(registries.every(({ lanes, stallAfter }) => lanes === 4 && stallAfter === 10_000));
});

test('an empty file, and sections with everything commented out, change nothing', async (t) => {
  const defaults = await readConfig(nothing);
  for (const yaml of ['', '# nothing\n', 'storage:\nregistries:\nhosts:\nresolve:\nlog:\n  # level: debug\nadmin:\n']) {
    assert.deepEqual({ ...(await read(t, yaml)), data: defaults.data }, defaults);
  }
});

test('every key has its meaning', async (t) => {
  const config = await read(
    t,
    `
listen: "[::1]:6060"
data: /var/lib/sampan
storage: { limit: 1.5GiB, scrub: off }
access: { networks: [10.0.0.0/8, "fd00::/8"] }
tls: { certificate: /tls/cert.pem, key: key.pem, minimum: TLSv1.3 }
tls_notice: { minimum: TLSv1.3, since: 2026-12-01, sunset: 2027-03-01, link: https://example.com/tls }
edge: { secret: 0123456789abcdef0123456789abcdef, headers: { protocol: X-Tls } }
catalogue: false
rules: [{ deny: ["**"], networks: [192.0.2.0/24] }]
registries:
  lab.example:5000:
    endpoints: [http://lab.example:5000/prefix/]
    mirrors: [https://mirror.example]
    realms: [https://auth.example/token]
    redirects: [http://cdn.lan:9000/]
    cdns: [cdn.example, "*.cdn.example"]
    aliases: [lab]
    fresh_for: 0s
    stale_for: 500ms
    lanes: 16
    stall_after: 1m
hosts: { hub.example.com: lab }
resolve: { lab.example: "203.0.113.7:443" }
via: "socks5://me:p%40ss@[2001:db8::1]:1080"
pull_ahead: 8
sendfile: false
proxy: { listen: "127.0.0.1:8384", allow: [auth.example, "*.blobs.example"], learn: false, intercept: false, tunnels: 7, idle: 30s, longest: 1h }
limits: { requests: 20/s, bytes: 50MB/s, pulls: 16, loopback: true }
admin: { listen: localhost:5051 }
log: { level: debug }
sentry: { dsn: https://abc@sentry.example.com/42, environment: staging, sample_rate: 0.5 }
stop_within: 2m
`,
  );
  assert.equal(config.access.kind, 'networks');
  assert.deepEqual([config.rules.length, config.rules[0]?.allows], [1, false]);
  assert.deepEqual(config, {
    listen: { host: '::1', port: 6060 },
    data: '/var/lib/sampan',
    storage: { limit: 1_610_612_736, scrub: undefined },
    sendfile: false,
    access: config.access,
    trustedPeers: [],
    tls: { certificate: '/tls/cert.pem', key: config.tls?.key ?? '', minimum: 'TLSv1.3' },
    tlsNotice: {
      minimum: 'TLSv1.3',
      since: Date.UTC(2026, 11, 1),
      sunset: Date.UTC(2027, 2, 1),
      link: 'https://example.com/tls',
    },
    edge: { secret: '0123456789abcdef0123456789abcdef', headers: { protocol: 'x-tls', secret: 'x-edge-secret' } },
    key: undefined,
    accounts: [],
    passwords: undefined,
    rules: config.rules,
    registries: [
      {
        name: 'lab.example:5000',
        aliases: ['lab'],
        endpoints: ['http://lab.example:5000/prefix'],
        mirrors: ['https://mirror.example'],
        realms: ['https://auth.example/token'],
        redirects: ['http://cdn.lan:9000'],
        cdns: ['cdn.example', '*.cdn.example'],
        freshFor: 0,
        staleFor: 500,
        lanes: 16,
        stallAfter: 60_000,
        login: undefined,
        credentials: undefined,
        ca: undefined,
        limits: undefined,
      },
    ],
    hosts: { 'hub.example.com': 'lab' },
    resolve: { 'lab.example': { host: '203.0.113.7', port: 443 } },
    dns: undefined,
    via: { scheme: 'socks5', host: '2001:db8::1', port: 1080, login: { user: 'me', password: 'p@ss' } },
    pullAhead: 8,
    proxy: {
      listen: { host: '127.0.0.1', port: 8384 },
      allow: ['auth.example', '*.blobs.example'],
      learn: false,
      intercept: [],
      tunnels: 7,
      idle: 30_000,
      longest: 3_600_000,
    },
    limits: { requests: { amount: 20, per: 1000 }, bytes: { amount: 50e6, per: 1000 }, pulls: 16, loopback: true },
    admin: { listen: { host: 'localhost', port: 5051 } },
    log: { level: 'debug' },
    sentry: {
      dsn: { envelopes: 'https://sentry.example.com/api/42/envelope/', key: 'abc' },
      environment: 'staging',
      sampleRate: 0.5,
    },
    stopWithin: 120_000,
  });
});

test('pulling ahead is switched off by a word or a zero', async (t) => {
  for (const off of ['off', '0']) assert.equal((await read(t, `pull_ahead: ${off}`)).pullAhead, 0);
});

test('a resolver and a proxy are taken as they are written', async (t) => {
  assert.equal((await read(t, 'dns: https://dns.example/dns-query')).dns, 'https://dns.example/dns-query');
  const proxy = { scheme: 'http', host: 'proxy.lan', port: 3128 };
  assert.deepEqual((await read(t, 'via: http://proxy.lan:3128/')).via, { ...proxy, login: undefined });
  const token = { user: 'token', password: '' };
  assert.deepEqual((await read(t, 'via: http://token@proxy.lan:3128')).via, { ...proxy, login: token });
});

test('registries are intercepted by their names, or all of them', async (t) => {
  const interceptedBy = async (yaml: string) =>
    (await read(t, `proxy: { listen: "127.0.0.1:8384", intercept: ${yaml} }`)).proxy?.intercept;
  assert.deepEqual(await interceptedBy('[ghcr.io, "*.gcr.io"]'), ['ghcr.io', '*.gcr.io']);
  assert.deepEqual(
    await interceptedBy('true'),
    catalogue.map(({ name }) => name),
  );
});

test('flags win over the environment, that over the file, that over the defaults', async (t) => {
  const yaml = 'listen: 127.0.0.1:1\nlog: { level: warn }\nstop_within: 1s';
  const environment = { SAMPAN_LISTEN: '127.0.0.1:2', SAMPAN_LOG_LEVEL: 'error' };
  const config = await read(t, yaml, { environment, flags: { listen: '127.0.0.1:3' } });
  assert.deepEqual([config.listen.port, config.log.level, config.stopWithin], [3, 'error', 1000]);
});

test('every key can come from the environment, as YAML or as text', async () => {
  const config = await readConfig({
    ...nothing,
    environment: {
      SAMPAN_LISTEN: '[::1]:1',
      SAMPAN_STORAGE_LIMIT: '2000000',
      SAMPAN_ACCESS: '{ networks: [10.0.0.0/8] }',
      SAMPAN_REGISTRIES: 'a.example: {}',
      SAMPAN_CATALOGUE: 'false',
      SAMPAN_HOSTS: '{ hub.example: a.example }',
      SAMPAN_RESOLVE: '{ a.example: "127.0.0.1:1" }',
      SAMPAN_ADMIN_LISTEN: '127.0.0.1:2',
      SAMPAN_STOP_WITHIN: '5s',
      SAMPAN_DATA: 'here',
    },
  });
  assert.deepEqual(config.listen, { host: '::1', port: 1 });
  assert.equal(config.storage.limit, 2_000_000);
  assert.equal(config.access.kind, 'networks');
  assert.deepEqual(Object.keys(config.hosts), ['hub.example']);
  assert.deepEqual(
    config.registries.map(({ name }) => name),
    ['a.example'],
  );
  assert.equal(config.admin?.listen.port, 2);
  assert.equal(config.data, '/somewhere/here');
});

test('empty variables, variables of tests and those that Kubernetes sets are nobody’s keys', async () => {
  const environment = {
    SAMPAN_LISTEN: '',
    SAMPAN_TEST_X: '1',
    SAMPAN_PORT: 'tcp://10.0.0.1:5050',
    SAMPAN_PORT_5050_TCP: 'x',
    SAMPAN_SERVICE_HOST: 'x',
    SAMPAN_SERVICE_PORT_HTTP: 'x',
    SAMPAN_CACHE_2_SERVICE_HOST: 'x',
    SAMPAN_CACHE_2_SERVICE_PORT: 'x',
    SAMPAN_CACHE_2_PORT: 'tcp://10.0.0.1:5050',
    SAMPAN_CACHE_2_PORT_5050_TCP_ADDR: 'x',
  };
  assert.equal((await readConfig({ ...nothing, environment })).listen.port, 5050);
});

test('SAMPAN_CONFIG names the file, unless a flag does', async (t) => {
  const directory = await temporaryDirectory(t);
  const environment = { SAMPAN_CONFIG: 'missing.yaml' };
  await assert.rejects(readConfig({ flags: {}, environment, directory }), /missing\.yaml: cannot be read \(ENOENT\)/);
  assert.equal((await read(t, 'listen: 127.0.0.1:7', { environment })).listen.port, 7);
});

test('data lies beside the file that names it, or below the working directory if a flag or a variable does', async (t) => {
  const directory = await temporaryDirectory(t);
  await mkdir(join(directory, 'etc'));
  await writeFile(join(directory, 'etc/named.yaml'), 'data: ./kept');
  await writeFile(join(directory, 'etc/empty.yaml'), '');
  const dataOf = async (flags: Flags, environment = {}) => (await readConfig({ flags, environment, directory })).data;
  assert.equal(await dataOf({ config: 'etc/named.yaml' }), join(directory, 'etc/kept'));
  assert.equal(await dataOf({ config: 'etc/empty.yaml' }), join(directory, 'etc/data'));
  assert.equal(await dataOf({ config: 'etc/named.yaml', data: 'there' }), join(directory, 'there'));
  assert.equal(await dataOf({ config: 'etc/named.yaml' }, { SAMPAN_DATA: 'there' }), join(directory, 'there'));
  assert.equal(await dataOf({}), join(directory, 'data'));
});

test('beyond the loopback it starts as soon as somebody has said who may pull', async (t) => {
  for (const access of ['open', '{ networks: [10.0.0.0/8] }']) {
    assert.equal((await read(t, `listen: 0.0.0.0:5050\naccess: ${access}`)).listen.host, '0.0.0.0');
  }
  for (const listen of ['127.9.9.9:1', '"[::1]:1"', '"[::ffff:127.0.0.1]:1"', 'localhost:1']) {
    assert.equal((await read(t, `listen: ${listen}`)).access.kind, 'open');
  }
});

test('hosts are learned by themselves only where nobody else reaches the proxy', async (t) => {
  const learns = async (yaml: string) => (await read(t, yaml)).proxy?.learn;
  assert.equal(await learns('proxy: { listen: "127.0.0.1:8384" }'), true);
  assert.equal(await learns('access: open\nproxy: { listen: "0.0.0.0:8384" }'), false);
  assert.equal(await learns('access: open\nproxy: { listen: "0.0.0.0:8384", learn: true }'), true);
  assert.equal(await learns('proxy: { learn: true }'), undefined, 'there is none');
});
