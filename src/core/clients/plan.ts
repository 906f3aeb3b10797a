// What a client is to be told, what its machine has, and what comes of the two: the values of this folder.

/** `mirror`: it asks sampan in the registries' place. `proxy`: it asks the registries themselves, through sampan. */
export interface Way {
  readonly kind: 'mirror' | 'proxy';
  /** Without a slash at the end. */
  readonly url: string;
}

export interface Target {
  /** `docker.io`: what stands before the image's name. */
  readonly name: string;
  /** `https://registry-1.docker.io`: where it is asked when the mirror cannot answer. */
  readonly server: string;
}

export interface Wish {
  readonly way: Way;
  readonly registries: readonly Target[];
  /** Certificates in PEM: of the mirror, or those by which the proxy intercepts. */
  readonly ca: string | undefined;
}

/** What is there. Paths are the machine's own, whatever the directory below which it lies. */
export interface Machine {
  /** Of the client, as it says itself. undefined: nobody knows, and nothing may be written that an old one would refuse. */
  readonly version: string | undefined;
  readonly systemd: boolean;
  /** Where docker keeps images, which decides what it reads. undefined: it was not there to be asked. */
  readonly imageStore: 'containerd' | 'graphdriver' | undefined;
  /** The home of whoever uses podman without being root. undefined: it is for the whole machine. */
  readonly home: string | undefined;
  /** undefined: there is none. */
  read(path: string): string | undefined;
  /** The names in a directory, sorted; none if there is none. */
  list(directory: string): readonly string[];
  /** Both throw Malformed. */
  readonly parse: { readonly toml: Parse; readonly yaml: Parse };
}

export type Parse = (text: string) => unknown;

export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  /** Not only root's programs read it: it stays readable, whatever secret it holds. */
  readonly forAll?: boolean;
}

export interface Plan {
  readonly files: readonly PlannedFile[];
  /** What makes the client read them, in this order. None: it reads them at each pull. */
  readonly commands: readonly (readonly string[])[];
  /** What is not possible with this client, or is to be known, one sentence each. */
  readonly notes: readonly string[];
}

export type Client = (wish: Wish, machine: Machine) => Plan;

/** Why nothing is written; what to do by hand may follow in further lines. */
export class Refusal extends Error {
  constructor(says: string, byHand: readonly string[] = []) {
    super([says, ...byHand.map((line) => `  ${line}`)].join('\n'));
    this.name = 'Refusal';
  }
}

/** Text that is not what it ought to be, and where. */
export class Malformed extends Error {
  readonly line: number;
  readonly column: number;

  constructor(says: string, line: number, column: number) {
    super(says);
    this.name = 'Malformed';
    this.line = line;
    this.column = column;
  }
}

/** What a file means. Throws Refusal with file, line and column. */
export function understand<T>(path: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const { line, column, message } = error;
    throw new Refusal(`${path}:${line}:${column}: ${message}; put that right first, nothing was written`);
  }
}

/** Whether `20.10.24+dfsg1` is at least `wanted`, [23, 0] say. What nobody knows is not. */
export function atLeast(version: string | undefined, ...wanted: readonly number[]): boolean {
  const found =
    /\d+(?:\.\d+)*/
      .exec(version ?? '')?.[0]
      .split('.')
      .map(Number) ?? [];
  const differing = wanted.findIndex((part, at) => (found[at] ?? 0) !== part);
  return found.length > 0 && (differing < 0 || (found[differing] ?? 0) > (wanted[differing] ?? 0));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at `path` in parsed text. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((found, key) => (isRecord(found) ? found[key] : undefined), value);
}

/** `added` to a list that may be there already, or to one value that stands for a list; in front of it, or behind. */
export function listWith(found: unknown, added: string, where: 'first' | 'last'): readonly string[] {
  const others = (Array.isArray(found) ? found : found === undefined ? [] : [found]).map(String);
  if (others.includes(added)) return others;
  return where === 'first' ? [added, ...others] : [...others, added];
}

/** How a mirror is called where no scheme is said: `127.0.0.1:5050`, with the path that it may have. */
export function placeOf(url: string): string {
  return url.replace(/^https?:\/\//, '');
}

export function hostOf(url: string): string {
  return placeOf(url).replace(/\/.*$/, '');
}

export function isPlainHttp(url: string): boolean {
  return url.startsWith('http:');
}

/** Of systemd, or of what stands in for it. */
export function serviceCommands(machine: Machine, verb: 'restart' | 'reload', service: string): string[][] {
  return machine.systemd ? [['systemctl', verb, service]] : [['service', service, 'restart']];
}
