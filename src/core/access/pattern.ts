// Patterns of repositories, as accounts are allowed them and rules speak of them: `docker.io/acme/*`.
import { repositoryKey, type Repository } from '../oci/reference.ts';

export interface Pattern {
  readonly expression: RegExp;
}

const wellFormed = /^[a-z0-9*][a-z0-9*._:-]*(?:\/[a-z0-9*][a-z0-9*._-]*)+$/;
const longest = 255;

/** Of repositories, of whatever registry: `**` is all of them. `*` stands for anything within a component, `**` for anything below. */
export function parsePattern(text: string): Pattern | undefined {
  const isWell = text === '**' || (wellFormed.test(text) && !/\*\*./.test(text));
  if (text.length > longest || !isWell) return undefined;
  const found = expressionOf(text);
  // As images are called: Docker Hub's own are below library/, and nothing of it is above.
  const [, registry = '', name = ''] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  const isHubs = name !== '**' && new RegExp(`^${expressionOf(registry)}$`).test('docker.io');
  const own = isHubs ? `|${expressionOf(`docker.io/library/${name}`)}` : '';
  return { expression: new RegExp(`^(?:${found}${own})$`) };
}

function expressionOf(text: string): string {
  return text.replaceAll('.', '\\.').replace(/\*\*$/, '.+').replaceAll('*', '[^/]*');
}

/** Of repositories of one registry: a wildcard in its place would open whatever is configured later. */
export function parsePatternWithin(text: string): Pattern | undefined {
  return text.startsWith('*') ? undefined : parsePattern(text);
}

export function matches({ expression }: Pattern, repository: Repository): boolean {
  return expression.test(repositoryKey(repository));
}
