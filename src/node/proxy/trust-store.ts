// Where a system keeps the authorities that its programs trust, and how it is told that there is one more, or one less.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrorCode } from '../error-code.ts';

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

type Run = (program: string, args: readonly string[]) => void;

export class TrustStore {
  readonly directory: string;
  readonly #kind: Kind;
  readonly #run: Run;

  private constructor(root: string, found: Kind, run: Run) {
    this.#run = run;
    this.#kind = found;
    this.directory = join(root, found.directory);
  }

  /** Undefined where it is nowhere that we know of. No command is run for a root that is not this machine's. */
  static find(root: string, run: Run = root === '/' ? execute : () => {}): TrustStore | undefined {
    const found = kinds.find(({ directory }) => existsSync(join(root, directory)));
    return found && new TrustStore(root, found, run);
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

  /** The command that makes it count, which was run. If it cannot be, nothing is left of it. */
  add(file: string, certificate: string): string {
    const isNew = !existsSync(file);
    writeFileSync(file, certificate, { mode: 0o644 });
    try {
      return this.#apply(this.#kind.command);
    } catch (error) {
      if (isNew) rmSync(file);
      throw error;
    }
  }

  remove(files: readonly string[]): string {
    for (const file of files) rmSync(file);
    return this.#apply(this.#kind.afterwards);
  }

  #apply([program = '', ...args]: readonly string[]): string {
    try {
      this.#run(program, args);
    } catch (error) {
      if (!isErrorCode(error, 'ENOENT')) throw error;
      throw new Error(`${program} is not installed; on most systems the package ca-certificates has it`, {
        cause: error,
      });
    }
    return [program, ...args].join(' ');
  }
}

function execute(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
