// Runs what is to be killed, up to the point where it is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Whether it was killed: a point that lies beyond the end of its work is not reached. */
export async function runAndKill(program: string, dir: string, seed: number, point: string): Promise<boolean> {
  const preload = import.meta.resolve('./crash-points.ts');
  const child = spawn(process.execPath, ['--import', preload, join(import.meta.dirname, program), dir, `${seed}`], {
    env: { ...process.env, CRASH_POINT: point },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.ok(code === 0 || signal === 'SIGKILL', `${point}: ended with ${code ?? signal}`);
  return signal === 'SIGKILL';
}
