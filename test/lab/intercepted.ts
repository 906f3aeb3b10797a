// Docker Hub behind an intercepting sampan, and the way there for clients that trust it.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mirror } from './clients/client.ts';
import { type Lab, startLab } from './lab.ts';
import { freePort } from './process.ts';
import { type Sampan, startSampan } from './sampan.ts';
import { type Secure, startSecure } from './secure.ts';

export interface Intercepted {
  readonly lab: Lab;
  readonly secure: Secure;
  readonly sampan: Sampan;
  /** `http://127.0.0.1:8384` */
  readonly proxy: string;
  readonly way: Mirror;
  /** The file of sampan's authority. */
  readonly authority: string;
  /** A new one. */
  directory(): Promise<string>;
  close(): Promise<void>;
}

export async function startIntercepted(): Promise<Intercepted> {
  const lab = await startLab();
  const secure = await startSecure(lab);
  const listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const more = { catalogue: true, resolve: secure.resolve, proxy: { listen, intercept: ['docker.io'] } };
  const sampan = await startSampan(lab.directory, {}, more, { NODE_EXTRA_CA_CERTS: secure.ca });
  const authority = join(sampan.data, 'authority/certificate.pem');
  // The token service and the CDN are tunnelled, and vouched for by others.
  const ca = join(lab.directory, 'trusted.pem');
  await writeFile(ca, (await readFile(authority, 'utf8')) + (await readFile(secure.ca, 'utf8')));
  const proxy = `http://${listen}`;
  return {
    lab,
    secure,
    sampan,
    proxy,
    way: { address: undefined, prefix: '', proxy, ca },
    authority,
    directory: () => mkdtemp(join(lab.directory, 'client-')),
    async close() {
      await sampan.stop();
      await secure.stop();
      await lab.close();
    },
  };
}
