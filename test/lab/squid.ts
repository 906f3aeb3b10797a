// squid as the proxy through which a network must be left: it takes CONNECT alone, and knows the names that it is told.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, knock, Running } from './process.ts';

export interface Squid {
  /** `127.0.0.1:3128` */
  readonly address: string;
  /** `CONNECT registry.test:443 200` for each connection that it was asked for and that is over. */
  tunnels(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface SquidOptions {
  /** To loopback addresses. */
  readonly names: Readonly<Record<string, string>>;
  readonly login?: { readonly user: string; readonly password: string };
}

/** `directory` must be one that anybody may enter: as root, squid becomes somebody else. */
export async function startSquid(directory: string, { names, login }: SquidOptions): Promise<Squid> {
  const port = await freePort('127.0.0.1');
  const own = join(directory, `squid-${port}`);
  const at = (name: string) => join(own, name);
  await mkdir(own);
  await chmod(own, 0o777);
  const lines = Object.entries(names).map(([name, address]) => `${address} ${name}\n`);
  await writeFile(at('hosts'), lines.join(''));
  // Basic authentication is a program that is asked, line by line.
  const accepted = `${login?.user ?? ''} ${login?.password ?? ''}`;
  const script = `while read -r line; do [ "$line" = '${accepted}' ] && echo OK || echo ERR; done`;
  await writeFile(at('login.sh'), script);
  const wantsLogin = `
    auth_param basic program /bin/sh ${at('login.sh')}
    auth_param basic children 1
    acl known proxy_auth REQUIRED
    http_access deny !known`;
  const configuration = `
    http_port 127.0.0.1:${port}
    pid_filename ${at('pid')}
    access_log stdio:${at('access.log')} common
    cache_log ${at('cache.log')}
    coredump_dir ${own}
    cache deny all
    hosts_file ${at('hosts')}
    dns_nameservers 127.0.0.1
    visible_hostname lab
    shutdown_lifetime 0 seconds
    pinger_enable off
    ${login === undefined ? '' : wantsLogin}
    http_access allow CONNECT
    http_access deny all`;
  await writeFile(at('squid.conf'), configuration.replaceAll(/^ +/gm, ''));
  const running = new Running('squid', ['-N', '-f', at('squid.conf')], { directory: own });
  await running.until('connection', () => knock('127.0.0.1', port));
  return {
    address: `127.0.0.1:${port}`,
    async tunnels() {
      const log = await readFile(at('access.log'), 'utf8');
      return [...log.matchAll(/"(CONNECT \S+) \S+" (\d+)/g)].map(([, asked = '', status = '']) => `${asked} ${status}`);
    },
    stop: async () => void (await running.stop()),
  };
}
