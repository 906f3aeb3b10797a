// What the requests of one isolate share: values only. workerd lets no request wait for another's promise or stream.
import { ConfigError, type Problem } from '../config/problem.ts';
import { type ServedRegistry, settingsIn } from '../config/registries.ts';
import { Accounts } from '../core/access/accounts.ts';
import type { Access } from '../core/access/admit.ts';
import { Guesses } from '../core/access/guesses.ts';
import type { Mac } from '../core/access/mac.ts';
import type { Rules } from '../core/access/rules.ts';
import type { Limit } from '../core/door/limit.ts';
import type { Tell } from '../core/edge/sentry.ts';
import { type NoticeFor, noticesOf } from '../core/edge/tls.ts';
import { Memory } from '../core/mirror/memory.ts';
import type { Clock } from '../core/mirror/ports.ts';
import { Near } from '../core/mirror/shared-book.ts';
import { UpstreamMemory } from '../core/upstream/memory.ts';
import { Registries } from '../core/upstream/registries.ts';
import { type Environment, readBindings } from './bindings.ts';
import { type WorkerConfig, readConfig } from './config.ts';
import { Doubts } from './doubts.ts';
import { limitBy } from './limit.ts';
import { createMac } from './mac.ts';
import { openSentry } from './sentry.ts';

export interface Isolate {
  /** undefined: nobody has said who may pull, so nobody may. */
  readonly access: Access | undefined;
  /** Why nothing is served at all. */
  readonly wrong: ConfigError | undefined;
  /** Undefined without a key: then there are neither accounts nor tokens. */
  readonly mac: Mac | undefined;
  readonly accounts: Accounts | undefined;
  readonly rules: Rules;
  readonly guesses: Guesses;
  readonly limit: Limit | undefined;
  readonly registries: Registries;
  readonly settings: (registry: string) => ServedRegistry;
  readonly memory: Memory;
  readonly upstreamMemory: UpstreamMemory;
  readonly near: Near;
  readonly doubts: Doubts;
  /** Sentry, if there is a DSN. */
  readonly tell: Tell | undefined;
  /** What each client is told of his version of TLS. */
  readonly noticeFor: NoticeFor | undefined;
  readonly bucket: R2Bucket | undefined;
}

/** Where the configuration has an error. */
const nothing: WorkerConfig = {
  access: undefined,
  key: undefined,
  accounts: [],
  rules: [],
  registries: [],
  hosts: {},
  sentry: undefined,
  tlsNotice: undefined,
};

export const clock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
  },
};

export function openIsolate(environment: Environment): Isolate {
  const { bucket, rateLimit, problems } = readBindings(environment);
  const { config, wrong } = tryConfig(environment, problems);
  const mac = config.key === undefined ? undefined : createMac(config.key);
  const registries = new Registries(config.registries, config.hosts);
  return {
    access: config.access,
    wrong,
    mac,
    accounts: mac && new Accounts(config.accounts, mac),
    rules: config.rules,
    guesses: new Guesses(() => clock.now()),
    limit: rateLimit && limitBy(rateLimit),
    registries,
    settings: settingsIn(config.registries, registries),
    memory: new Memory(clock),
    upstreamMemory: new UpstreamMemory(),
    near: new Near(clock),
    tell: openSentry(config.sentry, 'worker'),
    noticeFor: config.tlsNotice && noticesOf(config.tlsNotice),
    bucket,
    doubts: new Doubts(clock),
  };
}

function tryConfig(
  environment: Environment,
  problems: readonly Problem[],
): { readonly config: WorkerConfig; readonly wrong: ConfigError | undefined } {
  try {
    const config = readConfig((name) => environment[name]);
    if (problems.length === 0) return { config, wrong: undefined };
    return { config: nothing, wrong: new ConfigError(problems) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: nothing, wrong: new ConfigError([...error.problems, ...problems]) };
  }
}
