// The real app shows a certificate that was renewed while it runs, without being told to.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { startApp } from '../../src/node/app.ts';
import { clock } from '../../src/node/clock.ts';
import { readConfig } from '../../src/node/config/config.ts';
import { createLog } from '../../src/node/log/log.ts';
import { need } from '../lab/need.ts';
import { makePair, temporary } from './pair.ts';

/** The looks at the files come when the test says so; everything else has the time of the machine. */
function lookingWhenTold() {
  let look = () => {};
  const sleep = (ms: number, signal?: AbortSignal) => {
    if (ms !== 10_000) return clock.sleep(ms, signal);
    return new Promise<void>((resolve, reject) => {
      look = resolve;
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  };
  return { clock: { now: () => clock.now(), sleep }, look: () => look() };
}

async function nameShown(port: number): Promise<unknown> {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

async function start(t: TestContext) {
  const directory = temporary(t);
  const [first, second] = [makePair(directory, 'first'), makePair(directory, 'second')];
  const environment = {
    SAMPAN_LISTEN: '127.0.0.1:0',
    SAMPAN_DATA: directory,
    SAMPAN_STOP_WITHIN: '0s',
    SAMPAN_TLS_CERTIFICATE: first.certificate,
    SAMPAN_TLS_KEY: first.key,
  };
  const config = await readConfig({ flags: {}, environment, directory });
  const shown = Promise.withResolvers<void>();
  const write = (line: string) => void (line.includes('is shown from now on') && shown.resolve());
  const { clock: told, look } = lookingWhenTold();
  const app = await startApp(config, createLog('info', { write }), { clock: told });
  t.after(() => app.close());
  return { first, second, look, shown: shown.promise, port: Number(app.address.split(':').at(-1)) };
}

test('a certificate that is renewed is shown to who connects from then on', { skip: need('openssl') }, async (t) => {
  const { first, second, look, shown, port } = await start(t);
  assert.equal(await nameShown(port), 'first');
  copyFileSync(second.certificate, first.certificate);
  copyFileSync(second.key, first.key);
  look();
  await shown;
  assert.equal(await nameShown(port), 'second');
});
