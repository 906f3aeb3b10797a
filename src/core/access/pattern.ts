// Patterns of repositories, as accounts are allowed them: `docker.io/acme/*`.
import { repositoryKey, type Repository } from '../oci/reference.ts';

export interface Pattern {
  readonly expression: RegExp;
}

const wellFormed = /^[a-z0-9*][a-z0-9*._:-]*(?:\/[a-z0-9*][a-z0-9*._-]*)+$/;
const longest = 255;

/** `*` stands for anything within a component, `**` for anything below. Undefined for what names no registry and repository. */
export function parsePattern(text: string): Pattern | undefined {
  // A wildcard for the registry would open whatever is configured later.
  if (text.length > longest || !wellFormed.test(text) || text.startsWith('*') || /\*\*./.test(text)) return undefined;
  const expression = text.replaceAll('.', '\\.').replace(/\*\*$/, '.+').replaceAll('*', '[^/]*');
  return { expression: new RegExp(`^${expression}$`) };
}

export function matches({ expression }: Pattern, repository: Repository): boolean {
  return expression.test(repositoryKey(repository));
}
