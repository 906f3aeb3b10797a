// Who asks: a client of this mirror, and this mirror of a registry.
import type { Account } from './accounts.ts';

export interface Caller {
  /** The client's IP address, as text; IPv4-mapped IPv6 addresses in their IPv4 form. */
  readonly address: string;
  /** Of this mirror's own. */
  readonly account?: Account;
  /** The client's own login at the registry. It goes to the registry only, and is held no longer than what it began takes. */
  readonly authorization?: string;
  /** Of the registry's endpoints the one that has granted the authorization, at this mirror's door: no other is shown it. */
  readonly grantor?: string;
}

/** In whose name a registry is asked. */
export interface Asker {
  readonly authorization?: string;
  /** The only endpoint that is shown the authorization; undefined: the first of the registry's. */
  readonly grantor?: string | undefined;
  /** With the credentials that the configuration has for the registry, if it has any. Proves nothing to anybody else. */
  readonly ours?: boolean;
  /** What is asked for was just proven to be public: a third party's copy will do, too. */
  readonly isPublic?: boolean;
}

/** Nobody in particular: what is asked in this name is what everyone may know. */
export const anonymous: Asker = {};
export const ours: Asker = { ours: true };
/** For the sake of the limits alone. */
export const oursOfPublic: Asker = { ours: true, isPublic: true };

/** What a registry answers to somebody is for this one alone. */
export function isSomebody({ authorization, ours: our }: Asker): boolean {
  return authorization !== undefined || our === true;
}
