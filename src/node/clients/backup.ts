// What was there before: one file for each client, so that what was written can be taken back byte for byte.
import { dirname } from 'node:path';
import { z } from 'zod';
import type { ClientName } from '../../core/clients/clients.ts';
import { Refusal } from '../../core/clients/plan.ts';
import type { Disk } from './disk.ts';

const kept = z.strictObject({ text: z.string(), mode: z.int(), uid: z.int(), gid: z.int() });
const schema = z.strictObject({
  /**
   * By path. `before`, of the first run: null if there was no such file. `after`: all that was to be written since, because
   * a run may break off before it is; null if it was to go. The last is of the last run.
   */
  files: z.record(z.string(), z.strictObject({ before: kept.nullable(), after: z.array(z.string().nullable()) })),
  /** Folders that had to be made, each before what is in it. */
  folders: z.array(z.string()),
  /** What makes the client read its files again. */
  commands: z.array(z.array(z.string())),
});

export type Backup = z.infer<typeof schema>;

export const emptyBackup: Backup = { files: {}, folders: [], commands: [] };

/** Root's own, because `--undo` writes what stands there wherever it says. */
export class BackupFile {
  readonly path: string;
  readonly #disk: Disk;

  constructor(disk: Disk, client: ClientName, home: string | undefined) {
    this.#disk = disk;
    const folder = home === undefined ? '/var/backups/sampan' : `${home}/.local/state/sampan`;
    this.path = `${folder}/${client}.json`;
  }

  read(): Backup | undefined {
    // It holds many files, some of them more than once.
    const text = this.#disk.read(this.path, Infinity);
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new Refusal(`${this.#disk.shown(this.path)} is no backup of sampan's, or is broken; move it away`);
    }
  }

  write(backup: Backup): void {
    this.#disk.write(this.path, `${JSON.stringify(backup, null, 2)}\n`, { mode: 0o600 });
  }

  remove(): void {
    this.#disk.remove(this.path);
    this.#disk.removeFolder(dirname(this.path));
  }
}
