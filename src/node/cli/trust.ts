// Which of sampan's authorities this machine trusts: this sampan's own come and go, those of others are named and left alone.
import { fingerprintsOf, type Authority } from '../proxy/authority.ts';
import type { TrustStore } from '../proxy/trust-store.ts';
import { agreed } from './agreed.ts';

/** As paths. */
interface Trusted {
  /** This sampan's, but for the one that it uses now. */
  readonly former: readonly string[];
  readonly others: readonly string[];
}

/** Besides `current`, if that is given. */
export function trustedBesides(store: TrustStore, data: string, current?: Authority): Trusted {
  const own = new Set(fingerprintsOf(data).map((fingerprint) => store.file(fingerprint)));
  const files = store.files().filter((file) => current === undefined || file !== store.file(current.fingerprint));
  return { former: files.filter((file) => own.has(file)), others: files.filter((file) => !own.has(file)) };
}

export function toldOf({ former, others }: Trusted): string {
  const before = former.map((file) => `Trusted here too, though this sampan no longer uses it: ${file}\n`);
  return [...before, ...others.map((file) => `Trusted here too, and not of this sampan: ${file}\n`)].join('');
}

/** Resolves with what became of it. `yes`: nobody is asked. */
export async function offerToRemove(store: TrustStore, former: readonly string[], yes: boolean): Promise<string> {
  if (former.length === 0) return '';
  const wanted = yes || (await agreed('Trust the former one no longer?')) === true;
  return wanted ? removed(store, former) : '';
}

/** All of this sampan's. What became of them; undefined if there were none. */
export function distrust(
  store: TrustStore,
  data: string,
): { readonly done: string | undefined; readonly left: string } {
  const { former: own, others } = trustedBesides(store, data);
  const left = toldOf({ former: [], others });
  return { done: own.length === 0 ? undefined : removed(store, own), left };
}

function removed(store: TrustStore, files: readonly string[]): string {
  return `No longer trusted: ${files.join(', ')}, by: ${store.remove(files)}\n`;
}
