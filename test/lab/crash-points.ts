// Loaded before everything else (`node --import`), in every thread: kills the process at the n-th call of one kind.
import fs, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import * as sqlite from 'node:sqlite';

type Call = (this: unknown, ...values: unknown[]) => unknown;

export const kinds = ['write', 'sync', 'rename', 'unlink', 'commit'] as const;
export type Kind = (typeof kinds)[number];
/** `during`: when it has begun, without waiting for its end. */
export const moments = ['before', 'during', 'after'] as const;

/** `kind:n:moment` */
const [kind, nth, moment] = (process.env['CRASH_POINT'] ?? '').split(':');
let calls = 0;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // Until the signal is here nothing more may happen in this thread.
  for (;;);
}

function deadly(call: Call, counts: (values: unknown[]) => boolean = () => true): Call {
  return function dying(...values) {
    if (!counts(values)) return call.apply(this, values);
    calls += 1;
    if (calls !== Number(nth)) return call.apply(this, values);
    if (moment === 'before') die();
    const result = call.apply(this, values);
    return moment === 'after' && result instanceof Promise ? result.then(die) : die();
  };
}

function arm(target: object, name: string, counts?: (values: unknown[]) => boolean): void {
  Reflect.set(target, name, deadly(Reflect.get(target, name) as Call, counts));
}

if (kind === 'write' || kind === 'sync') {
  const handle = await open('/dev/null');
  arm(Object.getPrototypeOf(handle) as object, kind);
  await handle.close();
} else if (kind === 'rename' || kind === 'unlink') {
  arm(fs, kind);
  syncBuiltinESMExports();
} else if (kind === 'commit') {
  const names: { readonly Database?: { prototype: object }; readonly DatabaseSync: { prototype: object } } = sqlite;
  arm((names.Database ?? names.DatabaseSync).prototype, 'exec', ([sql]) => sql === 'COMMIT');
}
