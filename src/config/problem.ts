// What is wrong with a configuration, told so that whoever wrote it can put it right.
import { redact } from '../core/oci/redact.ts';

export type Path = readonly PropertyKey[];

export interface Problem {
  /** `sampan.yaml:3`, `SAMPAN_LISTEN`, `--listen`; undefined where nothing was written. */
  readonly where: string | undefined;
  /** What is wrong, in one line; a remedy may follow in further lines. */
  readonly says: string;
}

/** Everything that is wrong, at once. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? 'an error' : `${problems.length} errors`;
    super([`the configuration has ${count}`, ...problems.map(line)].join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

function line({ where, says }: Problem): string {
  return `  ${where === undefined ? '' : `${where}: `}${says}`;
}

/** A problem with the key at `path`. */
export function problemAt(path: Path, says: string, where: (path: Path) => string | undefined): Problem {
  const key = keyOf(path);
  return { where: where(path), says: key === '' ? says : `${key}: ${says}` };
}

/** `registries.docker.io.endpoints[0]` */
function keyOf(path: Path): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

const longest = 80;

/** A value as an error names it: short, on one line, without secrets. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return `a ${typeof value}`;
  const text = JSON.stringify(redact(value));
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
