// What the log says of each event: a sentence for people, and the facts for whoever counts.
import { diskFaultOf } from '../../core/mirror/disk-fault.ts';
import type { MirrorEvent } from '../../core/mirror/events.ts';
import { NoRoom } from '../../core/mirror/ports.ts';
import { repositoryKey } from '../../core/oci/reference.ts';
import { factsOf, summary } from './error-facts.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Undefined: too small a thing for a line of its own. */
export function lineOf(event: MirrorEvent): Line | undefined {
  const { kind } = event;
  switch (kind) {
    case 'served':
      return served(event);
    case 'asked':
      return asked(event);
    case 'fill': {
      const repository = repositoryKey(event.repository);
      return {
        level: 'debug',
        message: `fetching ${event.digest} of ${repository}${event.ahead ? ' ahead' : ''}`,
        facts: { kind, repository, digest: event.digest, ahead: event.ahead },
      };
    }
    case 'stored': {
      const { digest, size, kept, ms } = event;
      const before = kept === 0 ? '' : `, ${bytesText(kept)} of it from before`;
      return {
        level: 'debug',
        message: `stored ${digest}, ${bytesText(size)} in ${msText(ms)}${before}`,
        facts: { kind, digest, size, kept, ms: Math.round(ms) },
      };
    }
    case 'fill-failed':
      // If the store is in trouble, that is told once; if it is not, a blob that it has no room for is none.
      return failure(
        event.error instanceof NoRoom ? 'debug' : 'warn',
        `could not store ${event.digest}`,
        { kind, digest: event.digest },
        event.error,
      );
    case 'broke': {
      const { registry, why } = event;
      return { level: 'debug', message: `a blob of ${registry} broke off: ${why}`, facts: { kind, registry, why } };
    }
    case 'passed':
      return passed(event);
    case 'refused':
      return refused(event);
    case 'not-intercepted':
      return notIntercepted(event);
    case 'evicted': {
      const { digest, size } = event;
      return { level: 'debug', message: `evicted ${digest}, ${bytesText(size)}`, facts: { kind, digest, size } };
    }
    case 'bad-blob': {
      const { digest, size, found } = event;
      const message = `${digest} turned bad on the disk, found while ${found}; it is put aside and will be fetched again`;
      return { level: 'error', message, facts: { kind, digest, size, found } };
    }
    case 'stale': {
      const repository = repositoryKey(event.repository);
      const name = event.name;
      return failure('warn', `served ${repository}:${name} stale`, { kind, repository, name }, event.error);
    }
    case 'aside':
      return aside(event);
    case 'trouble':
      return trouble(event);
    case 'recovered':
      return { level: 'info', message: `the ${event.where} works again`, facts: { kind, where: event.where } };
    case 'reloaded':
      return reloaded(event);
    case 'not-reloaded':
      return notReloaded(event);
    case 'bug':
      return {
        level: 'error',
        message: `bug: ${summary(event.error)}`,
        facts: { kind, error: factsOf(event.error, true) },
      };
    case 'foreseen':
    case 'limited':
    case 'redirected':
    case 'received':
      return undefined;
  }
}

function served(event: Extract<MirrorEvent, { kind: 'served' }>): Line {
  const { kind, method, path, what, status, outcome, bytes, ms, address, tls, whole, error } = event;
  const message = `${method} ${path} ${status} ${outcome}, ${bytesText(bytes)} in ${msText(ms)} to ${address}`;
  const facts = { kind, method, path, status, outcome, bytes, ms: Math.round(ms), address, tls, whole };
  if (error !== undefined) return failure('warn', `${message}, cut off`, facts, error);
  return { level: what === 'page' ? 'debug' : 'info', message: whole ? message : `${message}, who left`, facts };
}

const endings: Readonly<Record<Passed['ended'], string>> = {
  done: '',
  client: ', broken off by the client',
  upstream: ', broken off by the host',
  idle: ', ended because nothing came any more',
  longest: ', ended because it took too long',
  stopped: ', ended because sampan stops',
  'not-tls': ', closed: what the client sent is no TLS',
  'other-name': ', closed: what the client sent names another host, or none',
  hidden: ', closed: the client encrypts (ECH) which host it wants',
  'no-hello': ', closed: the client sent nothing',
};

type Passed = Extract<MirrorEvent, { kind: 'passed' }>;

function passed({ kind, how, address, host, registry, sent, received, ms, ended, error }: Passed): Line {
  const bytes = `${bytesText(sent)} sent, ${bytesText(received)} received`;
  const message = `proxy: ${how} of ${address} to ${host}, ${bytes} in ${msText(ms)}${endings[ended]}`;
  const facts = { kind, how, address, host, registry, sent, received, ms: Math.round(ms), ended };
  return error === undefined ? { level: 'info', message, facts } : failure('info', message, facts, error);
}

function refused(event: Extract<MirrorEvent, { kind: 'refused' }>): Line {
  const { kind, address, target, status, why, remedy, error } = event;
  const hint = remedy === undefined ? '' : `; to allow it: ${remedy}`;
  const message = `proxy: ${target} of ${address} refused, ${status}: ${why}${hint}`;
  const facts = { kind, address, target, status, why, remedy };
  return error === undefined ? { level: 'info', message, facts } : failure('info', message, facts, error);
}

function notIntercepted({ kind, hosts, why, remedy, error }: Extract<MirrorEvent, { kind: 'not-intercepted' }>): Line {
  const message = `tunnelled and not intercepted: ${hosts.join(', ')}, because ${why}; what to do: ${remedy}`;
  const facts = { kind, hosts, why, remedy };
  return error === undefined ? { level: 'warn', message, facts } : failure('warn', message, facts, error);
}

function trouble(event: Extract<MirrorEvent, { kind: 'trouble' }>): Line {
  const { kind, where, doing, error, times = 1, known = false } = event;
  const often = times === 1 ? '' : `, ${times} times by now`;
  return {
    level: known ? 'debug' : 'warn',
    message: `trouble with the ${where} while ${doing}${often}: ${diskFaultOf(error) ?? summary(error)}`,
    facts: { kind, where, doing, times, error: factsOf(error, false) },
  };
}

function reloaded({ kind, changed, later }: Extract<MirrorEvent, { kind: 'reloaded' }>): Line {
  const now = changed.length === 0 ? 'nothing changed' : `changed ${changed.join(', ')}`;
  const then = later.map((key) => `; ${key}: changes at the next start`).join('');
  return { level: 'info', message: `read the configuration anew: ${now}${then}`, facts: { kind, changed, later } };
}

function notReloaded({ kind, error }: Extract<MirrorEvent, { kind: 'not-reloaded' }>): Line {
  // What is wrong with a configuration is told line by line.
  const says = summary(error)
    .trim()
    .replace(/\s*\n\s*/g, ' | ');
  return { level: 'error', message: `everything stays as it was: ${says}`, facts: { kind } };
}

function asked(event: Extract<MirrorEvent, { kind: 'asked' }>): Line {
  const { kind, registry, host, what, method, status, ms, error } = event;
  const facts = { kind, registry, host, what, method, status, ms: Math.round(ms) };
  const message = `${method} of a ${what} at ${host}`;
  if (error !== undefined) return failure('debug', `${message} failed after ${msText(ms)}`, facts, error);
  return { level: 'debug', message: `${message}: ${status ?? 'no answer'} in ${msText(ms)}`, facts };
}

function aside({ kind, endpoint, digest, ms }: Extract<MirrorEvent, { kind: 'aside' }>): Line {
  const lie = ms === undefined ? 'is suspected of having sent' : 'once more sent';
  const why = digest === undefined ? 'does not answer, broke off or limits us' : `${lie} what is not ${digest}`;
  const how = ms === undefined ? 'asked last for that' : `asked last for ${msText(ms)}`;
  return { level: 'warn', message: `${endpoint} ${why}: ${how}`, facts: { kind, endpoint, digest, ms } };
}

function failure(level: LogLevel, message: string, facts: Line['facts'], error: unknown): Line {
  return { level, message: `${message}: ${summary(error)}`, facts: { ...facts, error: factsOf(error, false) } };
}

function msText(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}

function bytesText(bytes: number): string {
  const step = bytes < 1e3 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return step === 0 ? `${bytes} B` : `${(bytes / 1000 ** step).toFixed(1)} ${'kMGT'[step - 1]}B`;
}
