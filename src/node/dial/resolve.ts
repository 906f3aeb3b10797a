// Names become addresses. Of a name that somebody else chose every one must be public, and what was looked at is what is dialled.
import type { LookupAddress } from 'node:dns';
import { lookup as askSystem } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from '../../core/access/public-address.ts';
import { ForbiddenAddress } from '../../core/upstream/fetch.ts';

/** All addresses that a name has, the best first. Rejects if it has none, or nobody knows. */
export type LookUp = (host: string) => Promise<LookupAddress[]>;

export const systemLookUp: LookUp = (host) => askSystem(host, { all: true });

/**
 * One address that is not public makes the name suspect: DNS that mixes them is how an attacker gets a connection that looks
 * public from here to fall back to one that is not.
 */
export function publicOnly(lookUp: LookUp): LookUp {
  return async (host) => {
    const found = await lookUp(host);
    if (found.length > 0 && found.every(({ address }) => isPublicAddress(address))) return found;
    throw new ForbiddenAddress(host);
  };
}

/** For `net.connect`. */
export function lookupBy(lookUp: LookUp): LookupFunction {
  const tell = async (...[host, { all }, done]: Parameters<LookupFunction>): Promise<void> => {
    let found: LookupAddress[];
    try {
      found = await lookUp(host);
    } catch (error) {
      return done(error as NodeJS.ErrnoException, '');
    }
    if (all === true) done(null, found);
    else done(null, found[0]?.address ?? '', found[0]?.family);
  };
  return (...parameters) => void tell(...parameters);
}

/** What looks like a number is one to some resolvers: 2130706433 and 0x7f.1 are 127.0.0.1. No domain ends in one. */
const numeric = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i;
/** Never more than this machine, whoever is asked (RFC 6761, section 6.3). */
const localhost = /(?:^|\.)localhost\.?$/i;

/** A host that nobody need look up to know that it is not public. IPv6 without brackets. */
export function isForbiddenHost(host: string): boolean {
  if (isIP(host) !== 0) return !isPublicAddress(host);
  return numeric.test(host) || localhost.test(host);
}
