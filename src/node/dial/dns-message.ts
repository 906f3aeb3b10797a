// DNS messages (RFC 1035): a question about a name's addresses, and what an answer says of them.
import { isIP } from 'node:net';
import { type Answer, decode, encode, RECURSION_DESIRED } from 'dns-packet';

export type AddressType = 'A' | 'AAAA';

export interface Addresses {
  /** None if there is no such name, or it has none of that type. */
  readonly addresses: readonly string[];
  /** Seconds for which they hold; Infinity if there are none. */
  readonly ttl: number;
}

/** The id is 0, as RFC 8484 wants it: the question is told by what it travels in. */
export function encodeQuestion(name: string, type: AddressType): Buffer {
  return encode({ type: 'query', id: 0, flags: RECURSION_DESIRED, questions: [{ type, name }] });
}

const noError = 0;
const noSuchName = 3;
const families = { A: 4, AAAA: 6 };

/** Throws for what is no answer to that question, and for an answer that tells of a failure. */
export function readAnswer(message: Uint8Array, name: string, type: AddressType): Addresses {
  const { flag_qr: isAnswer, flags = 0, questions = [], answers = [] } = decode(Buffer.from(message));
  const [question] = questions;
  if (!isAnswer || questions.length !== 1 || question?.type !== type || question.name.toLowerCase() !== name) {
    throw new Error('the answer is not one to what was asked');
  }
  const code = flags & 0xf;
  if (code !== noError && code !== noSuchName) throw new Error(`the answer has the code ${code}`);
  const owner = endOfAliases(name, answers);
  const found = answers.filter((each) => each.type === type && each.name.toLowerCase() === owner);
  const addresses = found.flatMap((each) => ('data' in each && typeof each.data === 'string' ? each.data : []));
  // Of the aliases, too.
  const ttls = answers.flatMap((each) => ('ttl' in each && each.ttl !== undefined ? each.ttl : []));
  return {
    addresses: addresses.filter((address) => isIP(address) === families[type]),
    ttl: found.length === 0 ? Infinity : Math.min(...ttls),
  };
}

/** A resolver answers with the whole chain (RFC 1034, section 3.6.2); what is not at its end is about another name. */
function endOfAliases(name: string, answers: readonly Answer[]): string {
  const aliases = new Map<string, string>();
  for (const each of answers) {
    if (each.type === 'CNAME') aliases.set(each.name.toLowerCase(), each.data.toLowerCase());
  }
  let owner = name;
  for (let next = aliases.get(owner); next !== undefined; next = aliases.get(owner)) {
    // No name is followed twice: they may lead in a circle.
    aliases.delete(owner);
    owner = next;
  }
  return owner;
}
