// Rules where the registry itself would be asked next: what they deny here, a client does not get by being passed on.
import { admitPull, type Rules } from '../../core/access/rules.ts';
import type { Caller } from '../../core/access/caller.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import type { Errand } from './errand.ts';

/** A path that is read in one way only: no percent signs, no empty components, none of dots. */
const plain = /^\/(?:(?!\.{1,2}(?:\/|$))[\w.~:@=+,!$&'()*;-]+(?:\/|$))*$/;
/** Of the registry API, what is no repository's, or belongs to a push. */
const elsewise = /^\/v2(?:\/?|\/_catalog|\/.+\/blobs\/uploads\/.+)$/;

/**
 * Throws DENIED for a read of what rules deny; and where there are rules, for one in which the registry may find a repository
 * that we do not.
 */
export function checkRules(rules: Rules, { repository }: Errand, caller: Caller, method: string, target: string): void {
  if (rules.length === 0 || (method !== 'GET' && method !== 'HEAD')) return;
  if (repository !== undefined) return admitPull(rules, caller, repository);
  const path = target.replace(/[?#].*$/s, '');
  if (plain.test(path) && (!/^\/v2(?:\/|$)/i.test(path) || elsewise.test(path))) return;
  throw new RegistryError(
    'DENIED',
    'the rules of this mirror are for requests as clients write them, and this is none',
  );
}
