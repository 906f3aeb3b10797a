// Standard output on a disk that is full for a while.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { SmallDisk, needMounts } from '../../lab/small-disk.ts';

/** Logs what it is told to, and answers when it has. */
const program = `
  import { createInterface } from 'node:readline';
  import { output } from ${JSON.stringify(import.meta.resolve('../../../src/node/log/output.ts'))};
  const log = output();
  for await (const line of createInterface({ input: process.stdin })) {
    log.write(line + '\\n');
    setImmediate(() => process.stderr.write('.'));
  }
`;

it('keeps every line of a process that ends at once', async () => {
  const last = `
    import { output } from ${JSON.stringify(import.meta.resolve('../../../src/node/log/output.ts'))};
    const log = output();
    log.write('one\\n');
    log.write('two\\n');
    process.exit(1);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', last], { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.equal(await text(child.stdout), 'one\ntwo\n');
});

describe('a log on a disk that is full', { skip: needMounts() }, () => {
  it('goes on as soon as there is room, and no line of it is in two', async (t) => {
    const disk = await SmallDisk.mount(64 * 1024);
    t.after(() => disk.unmount());
    await mkdir(disk.data);
    const path = join(disk.data, 'log');
    const file = openSync(path, 'a');
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', file, 'pipe'] });
    closeSync(file);
    t.after(() => child.kill());
    const lines = (): string[] => readFileSync(path, 'utf8').split('\n');
    const log = async (line: string) => {
      child.stdin?.write(`${line}\n`);
      await once(child.stderr!, 'data');
    };
    /** More than once: what was written last may still be on its way. */
    const untilSeen = async (start: string, seen = () => lines().some((line) => line.startsWith(start))) => {
      for (let number = 0; number < 1000 && !seen(); number += 1) await log(`${start} ${number}`);
      assert.ok(seen(), `${start} is not in the log`);
    };

    await untilSeen('before');
    disk.fill(0);
    for (let number = 0; number < 20; number += 1) await log(`during ${number} ${'x'.repeat(1000)}`);
    disk.empty();
    await untilSeen('after');
    await untilSeen('later');
    child.stdin?.end();
    await once(child, 'exit');
    for (const line of lines()) assert.match(line, /^(before \d+|during \d+ x*|after \d+|later \d+|)$/);
  });
});
