// Interception put together: which registries' hosts are answered here, by an authority that is good for them.
import { type Authority, covers, openAuthority } from './authority.ts';
import type { GuestParts } from './guests.ts';
import { createInterception, type Interception } from './intercept.ts';
import { Leaves } from './leaves.ts';
import { PassOn, type PassOnParts } from './pass-on.ts';

export interface Opening extends Omit<GuestParts, 'passOn'>, PassOnParts {
  /** The data directory. */
  readonly data: string;
  /** The hosts of the registries that shall be intercepted, as clients reach them; `*.example.com` for all below. */
  readonly hosts: readonly string[];
}

export interface OpenInterception extends Interception {
  /** Whether clients of that host can be answered here. */
  readonly covers: (host: string) => boolean;
}

const renewal = 'sampan ca renew, a new start, and on every machine that trusts the authority: sampan ca install';

/** What cannot be intercepted is tunnelled, which is told, and no reason to pull nothing. Undefined if that is everything. */
export async function openInterception({ data, hosts, ...parts }: Opening): Promise<OpenInterception | undefined> {
  const { report, clock } = parts;
  const now = clock.now();
  let authority: Authority;
  try {
    authority = openAuthority(data, hosts, now);
  } catch (error) {
    const why = 'the authority cannot be used';
    report({ kind: 'not-intercepted', hosts, why, remedy: 'sampan ca show', error });
    return undefined;
  }
  const { domains, until } = authority;
  if (until <= now) {
    report({ kind: 'not-intercepted', hosts, why: 'the time of the authority is over', remedy: renewal });
    return undefined;
  }
  const outside = hosts.filter((host) => !covers(domains, host.replace(/^\*\./, '')));
  if (outside.length > 0) {
    const why = `the authority is good for ${domains.join(', ')} alone`;
    report({ kind: 'not-intercepted', hosts: outside, why, remedy: renewal });
  }
  const passOn = new PassOn(parts);
  const { take, close } = createInterception({ ...parts, passOn, leaves: new Leaves(authority, () => clock.now()) });
  return {
    take,
    covers: (host) => covers(domains, host) && clock.now() < until,
    async close(within) {
      await close(within);
      passOn.close();
    },
  };
}
