// Where a system keeps the authorities that its programs trust, and how it is told that there is one more, or one less.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Kind {
  /** Below the root. */
  readonly directory: string;
  readonly command: readonly string[];
  /** After something was taken away. */
  readonly afterwards: readonly string[];
}

const kinds: readonly Kind[] = [
  // Debian, Ubuntu, Alpine.
  kind('usr/local/share/ca-certificates', ['update-ca-certificates'], ['update-ca-certificates', '--fresh']),
  // Fedora, RHEL and what descends from it.
  kind('etc/pki/ca-trust/source/anchors', ['update-ca-trust']),
  // SUSE.
  kind('etc/pki/trust/anchors', ['update-ca-certificates']),
  // Arch.
  kind('etc/ca-certificates/trust-source/anchors', ['update-ca-trust']),
];

function kind(directory: string, command: readonly string[], afterwards = command): Kind {
  return { directory, command, afterwards };
}

export class TrustStore {
  readonly directory: string;
  readonly #root: string;
  readonly #kind: Kind;

  private constructor(root: string, found: Kind) {
    this.#root = root;
    this.#kind = found;
    this.directory = join(root, found.directory);
  }

  /** Undefined where it is nowhere that we know of. */
  static find(root: string): TrustStore | undefined {
    const found = kinds.find(({ directory }) => existsSync(join(root, directory)));
    return found && new TrustStore(root, found);
  }

  /** Each authority has a file of its own, so that several machines' proxies can be trusted. */
  file(fingerprint: string): string {
    return join(this.directory, `sampan-${fingerprint.replaceAll(':', '').slice(0, 16).toLowerCase()}.crt`);
  }

  /** Authorities of ours that are trusted, as paths. */
  files(): readonly string[] {
    const names = readdirSync(this.directory).filter((name) => /^sampan-[0-9a-f]{16}\.crt$/.test(name));
    return names.map((name) => join(this.directory, name));
  }

  /** The command that makes it count. It was run, unless this is another system's root. */
  add(file: string, certificate: string): string {
    writeFileSync(file, certificate, { mode: 0o644 });
    return this.#run(this.#kind.command);
  }

  remove(files: readonly string[]): string {
    for (const file of files) rmSync(file);
    return this.#run(this.#kind.afterwards);
  }

  #run([program = '', ...args]: readonly string[]): string {
    if (this.#root === '/') execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    return [program, ...args].join(' ');
  }
}
