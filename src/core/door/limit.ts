// How much one client may ask of this mirror: limits of its own, which are not taken for an upstream's.
import { clientOf } from '../access/address.ts';
import type { Caller } from '../access/caller.ts';
import { RegistryError } from '../oci/errors.ts';

/** How fast bytes may go out, asked before each of a body's steps. */
export interface Pace {
  /** How many of them may be sent: at once, or when it resolves, with 0 if that was left. Never rejects. Connections take turns, a step of up to 64 KiB each. */
  take(bytes: number): number | Promise<number>;
  /** Nobody takes any more of it. */
  leave(): void;
}

/** What a client is given for one reply. */
export interface Ration {
  readonly pace: Pace | undefined;
  /** To be called once, when nothing more will be sent. */
  readonly over: () => void;
}

export interface Asking {
  /** For a blob's bytes. */
  readonly blob: boolean;
  readonly signal: AbortSignal;
}

/** Counts what a caller asks, and lets him wait for his turn. Throws TOOMANYREQUESTS for who has asked too much, or the signal's reason. */
export type Limit = (caller: Caller, asking: Asking) => Promise<Ration | undefined>;

/** `takes`: counts one more for who goes by that name, and says whether that is not too many. `period`: seconds that it counts over. */
export function createLimit(takes: (name: string) => Promise<boolean>, period: number): Limit {
  return async (caller) => {
    if (await takes(nameOf(caller))) return undefined;
    throw tooMuch(period);
  };
}

/** `seconds`: after which it is worth asking again. */
export function tooMuch(seconds: number): RegistryError {
  return new RegistryError(
    'TOOMANYREQUESTS',
    'this mirror has a limit of its own for each client, and you have reached it',
    { headers: { 'retry-after': String(seconds) }, detail: { limitedBy: 'this mirror' } },
  );
}

/** By nothing that a client can choose: neither a login that nobody here has checked, nor one of the addresses of its network. */
export function nameOf({ account, address }: Caller): string {
  return account === undefined ? `address ${clientOf(address)}` : `account ${account.name}`;
}
