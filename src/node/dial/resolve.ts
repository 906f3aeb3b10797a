// Looks up names that somebody else chose: every address must be public, and what was looked at is what is dialled.
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from '../../core/access/public-address.ts';
import { ForbiddenAddress } from '../../core/upstream/fetch.ts';

export type LookupAll = (
  host: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/**
 * For `net.connect`. One address that is not public makes the name suspect: DNS that mixes them is how an attacker gets
 * a connection that looks public from here to fall back to one that is not.
 */
export function publicLookup(lookupAll: LookupAll = lookup): LookupFunction {
  return (host, options, done) => {
    lookupAll(host, { ...options, all: true }, (error, found) => {
      const [first] = found ?? [];
      if (error !== null) done(error, '');
      else if (first === undefined || !found.every(({ address }) => isPublicAddress(address))) {
        done(new ForbiddenAddress(host), '');
      } else if (options.all === true) done(null, found);
      else done(null, first.address, first.family);
    });
  };
}

/** A host that is an address itself: nobody looks it up. IPv6 without brackets. */
export function isForbiddenLiteral(host: string): boolean {
  return isIP(host) !== 0 && !isPublicAddress(host);
}
