// The certificate's files: what is wrong with them at the start, and what their changing does.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { SecureContextOptions } from 'node:tls';
import { Certificate } from '../../src/node/certificate.ts';
import { need } from '../lab/need.ts';
import { StoppedClock } from './http/scripted-server.ts';
import { makePair, temporary } from './pair.ts';

describe('a certificate', { skip: need('openssl') }, () => {
  test('that cannot be shown is told by its file, and by what is wrong', async (t) => {
    const directory = temporary(t);
    const [one, other] = [makePair(directory, 'one'), makePair(directory, 'other')];
    const none = join(directory, 'none.pem');
    const nonsense = join(directory, 'nonsense.pem');
    const locked = join(directory, 'locked.pem');
    writeFileSync(nonsense, 'nonsense');
    execFileSync('openssl', ['ec', '-aes256', '-passout', 'pass:x', '-in', one.key, '-out', locked], {
      stdio: 'ignore',
    });
    for (const [certificate, key, says] of [
      [none, one.key, `${none} cannot be read (ENOENT)`],
      [one.certificate, none, `${none} cannot be read (ENOENT)`],
      [directory, one.key, `${directory} cannot be read (EISDIR)`],
      [nonsense, one.key, `${nonsense}: found no certificate in PEM`],
      [one.certificate, nonsense, `${nonsense}: found no private key in PEM without a password`],
      [one.certificate, locked, `${locked}: found no private key in PEM without a password`],
      [one.certificate, other.key, `${other.key} is not the key of the first certificate in ${one.certificate}`],
    ] as const) {
      await assert.rejects(Certificate.open({ certificate, key, minimum: 'TLSv1.2' }), {
        name: 'ConfigError',
        message: `the configuration has an error\n  tls: ${says}`,
      });
    }
  });

  test('is exchanged when both files have, and not before: a pair that does not fit is told once', async (t) => {
    const { files, other, look, shown, told } = await watched(t);
    await look();
    assert.deepEqual([shown, told], [[], []], 'nothing has changed');

    copyFileSync(other.certificate, files.certificate);
    await look();
    assert.deepEqual([shown, told], [[], []], 'the key may be on its way');
    await look();
    await look();
    const why = `${files.key} is not the key of the first certificate in ${files.certificate}`;
    assert.deepEqual(told.splice(0), [`error: ${why}; the certificate that was there before is still shown`]);

    copyFileSync(other.key, files.key);
    await look();
    assert.deepEqual(shown, [readFileSync(other.certificate, 'utf8')]);
    assert.deepEqual(told.splice(0), [`info: ${files.certificate} has changed, and is shown from now on`]);
    await look();
    assert.deepEqual([shown.length, told], [1, []]);
  });

  test('that is put in place by renaming counts, and one that goes away stays shown', async (t) => {
    const { files, other, look, shown, told } = await watched(t);
    renameSync(other.key, files.key);
    renameSync(other.certificate, files.certificate);
    await look();
    assert.equal(shown.length, 1);
    told.length = 0;
    rmSync(files.key);
    await look();
    await look();
    await look();
    assert.equal(shown.length, 1);
    assert.deepEqual(told, [
      `error: ${files.key} cannot be read (ENOENT); the certificate that was there before is still shown`,
    ]);
  });
});

async function watched(t: TestContext) {
  const directory = temporary(t);
  const files = { ...makePair(directory, 'one'), minimum: 'TLSv1.2' as const };
  const other = makePair(directory, 'other');
  const certificate = await Certificate.open(files);
  const shown: string[] = [];
  certificate.onExchange(({ cert }: SecureContextOptions) => shown.push(String(cert)));
  const told: string[] = [];
  const say = (level: string) => (message: string) => void told.push(`${level}: ${message}`);
  const clock = new StoppedClock();
  const stop = new AbortController();
  const over = certificate.watch(clock, { info: say('info'), error: say('error') }, stop.signal);
  t.after(async () => {
    stop.abort();
    await over;
  });
  /** The watcher sleeps again when its look is over. */
  async function look(): Promise<void> {
    clock.wakeAll();
    await clock.sleeping();
  }
  return { files, other, look, shown, told };
}
