// DNS over HTTPS (RFC 8484), for those whose own DNS is lied to: when it fails, nobody else is asked.
import type { LookupAddress } from 'node:dns';
import type { Clock } from '../../core/mirror/ports.ts';
import { Bounded } from '../../core/oci/bounded.ts';
import { mediaTypeOf, readWhole } from '../../core/upstream/body.ts';
import type { Fetch } from '../../core/upstream/fetch.ts';
import { type Addresses, type AddressType, encodeQuestion, readAnswer } from './dns-message.ts';
import type { LookUp } from './resolve.ts';

export interface DohParts {
  readonly url: string;
  /** Must not need a name that is looked up here. */
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Milliseconds for an answer, after which it is asked once more. Both fit into the time that a connection may take. */
  readonly patience?: number;
}

/** What becomes of a name: it has no address, or nobody knows. The codes are those of the system's own lookup. */
class NotResolved extends Error {
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN';

  constructor(code: NotResolved['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'NotResolved';
    this.code = code;
  }
}

const mostNames = 1000;
const tries = 2;
const largestAnswer = 64 * 1024;
const second = 1000;
/** Whatever an answer says: some say 0, and each connection would ask again. */
const shortest = 10 * second;
const longest = 3600 * second;
const messageType = 'application/dns-message';
/** Asked of nobody (RFC 6761, section 6.3). */
const thisMachine = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

interface Known {
  readonly found: Promise<LookupAddress[]>;
  until: number;
}

/** Who asks for a name that is being asked for waits for the same answer. */
export function createDoh({ url, fetch, clock, patience = 2 * second }: DohParts): LookUp {
  const known = new Bounded<Known>(mostNames);
  const { host: resolver } = new URL(url);

  function find(name: string): Promise<LookupAddress[]> {
    const before = known.get(name);
    if (before !== undefined && before.until > clock.now()) return before.found;
    const entry: Known = { found: askBoth(name, (ttl) => (entry.until = clock.now() + ttl)), until: Infinity };
    known.set(name, entry);
    return entry.found;
  }

  /** Calls `keep` with the milliseconds for which the outcome, no address included, holds; with 0 if there is none. */
  async function askBoth(name: string, keep: (ttl: number) => void): Promise<LookupAddress[]> {
    // IPv6 first: where there is none that is known at once, and the last of all addresses may take the longest.
    const outcomes = await Promise.allSettled([ask(name, 'AAAA'), ask(name, 'A')]);
    const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
    const found = answers.flatMap(({ addresses, family }) => addresses.map((address) => ({ address, family })));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (found.length === 0 && failed !== undefined) {
      keep(0);
      throw new NotResolved('EAI_AGAIN', `${resolver} does not tell where ${name} is`, failed.reason);
    }
    const isWhole = found.length > 0 && failed === undefined;
    keep(isWhole ? clamp(Math.min(...answers.map(({ ttl }) => ttl)) * second) : shortest);
    return found;
  }

  async function ask(name: string, type: AddressType, left = tries): Promise<Addresses & { family: number }> {
    try {
      return { ...(await askOnce(name, type)), family: type === 'A' ? 4 : 6 };
    } catch (error) {
      if (left === 1) throw error;
      return ask(name, type, left - 1);
    }
  }

  async function askOnce(name: string, type: AddressType): Promise<Addresses> {
    const question = new URL(url);
    question.searchParams.set('dns', encodeQuestion(name, type).toString('base64url'));
    const response = await fetch({
      method: 'GET',
      url: question.href,
      headers: { accept: messageType },
      signal: AbortSignal.timeout(patience),
      trust: 'configured',
    });
    const { status } = response;
    if (status !== 200 || mediaTypeOf(response) !== messageType) {
      response.cancel();
      throw new Error(`it answered ${status}, and not with a DNS message`);
    }
    const message = await readWhole(response, largestAnswer, resolver, clock);
    if (message === undefined) throw new Error('its answer is too large');
    return readAnswer(message, name, type);
  }

  return async (host) => {
    const name = host.toLowerCase().replace(/\.$/, '');
    if (name === 'localhost') return thisMachine;
    const found = isName(name) ? await find(name) : [];
    if (found.length === 0) throw new NotResolved('ENOTFOUND', `${host} has no address, says ${resolver}`);
    return found;
  };
}

function clamp(ttl: number): number {
  return Math.max(shortest, Math.min(longest, ttl));
}

/** What fits into a question. */
function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label !== '' && Buffer.byteLength(label) <= 63);
}
