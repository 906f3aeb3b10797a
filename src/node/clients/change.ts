// From a plan to changed files, and back: what differs, writing it, and taking it back.
import { type Plan, Refusal } from '../../core/clients/plan.ts';
import { unifiedDiff } from '../../core/clients/unified.ts';
import { redact } from '../../core/oci/redact.ts';
import { type Backup, type BackupFile, emptyBackup } from './backup.ts';
import type { Disk } from './disk.ts';

type Entry = Backup['files'][string];
type Ownership = Parameters<Disk['write']>[2];

export interface Change {
  readonly path: string;
  /** undefined: no file. */
  readonly now: string | undefined;
  readonly wanted: string | undefined;
  /** Only root may read it, if it has to be made. */
  readonly secret: boolean;
}

/**
 * A file as it was before us, if nobody else has changed it since: a plan starts from there, so that a second run takes the
 * place of the first.
 */
export function original(path: string, disk: Disk, backup: Backup | undefined): string | undefined {
  const now = disk.read(path);
  const entry = backup?.files[path];
  return entry !== undefined && isOurs(entry, now) ? entry.before?.text : now;
}

/** The names in a directory as they were before us. */
export function originals(directory: string, disk: Disk, backup: Backup | undefined): readonly string[] {
  return disk.list(directory).filter((name) => {
    const path = `${directory}/${name}`;
    return backup?.files[path] === undefined || original(path, disk, backup) !== undefined;
  });
}

function isOurs({ after }: Entry, text: string | undefined): boolean {
  return after.includes(text ?? null);
}

/** What an earlier run wrote and this plan does not want goes back to what it was. */
export function changesFor(plan: Plan, disk: Disk, backup: Backup | undefined): Change[] {
  const planned = new Map(plan.files.map((file) => [file.path, file]));
  const paths = [...planned.keys(), ...Object.keys(backup?.files ?? {}).filter((path) => !planned.has(path))];
  return paths
    .map((path): Change => {
      const file = planned.get(path);
      const wanted = file === undefined ? original(path, disk, backup) : file.text;
      const secret = file !== undefined && file.forAll !== true && redact(file.text) !== file.text;
      return { path, now: disk.read(path), wanted, secret };
    })
    .filter(({ now, wanted }) => now !== wanted);
}

export function showChanges(changes: readonly Change[], disk: Disk): string {
  return changes.map(({ path, now, wanted }) => unifiedDiff(disk.shown(path), now, wanted)).join('');
}

/** Writes what was shown. The backup is there first, so that whatever breaks off can be taken back. */
export function carryOut(changes: readonly Change[], commands: Backup['commands'], disk: Disk, file: BackupFile): void {
  const changed = changes.find(({ path, now }) => disk.read(path) !== now);
  if (changed !== undefined) throw new Refusal(`${disk.shown(changed.path)} has just been changed; try again`);
  const old = file.read() ?? emptyBackup;
  const entries = changes.map(({ path, wanted }): [string, Entry] => {
    const { before, after } = old.files[path] ?? { before: disk.keep(path) ?? null, after: [] };
    const others = after.filter((text) => text !== (wanted ?? null));
    return [path, { before, after: [...others, wanted ?? null] }] as const;
  });
  const files = { ...old.files, ...Object.fromEntries(entries) };
  file.write({ ...old, files, commands });
  const made = changes.flatMap((change) => put(change, modeFor(change, files[change.path], disk), disk));
  file.write({ files, folders: [...new Set([...old.folders, ...made])], commands });
}

/** As the file is now, whatever it was before; one that we made is closed when a secret comes into it. */
function modeFor({ path, secret }: Change, entry: Entry | undefined, disk: Disk): Ownership {
  const now = disk.keep(path) ?? { mode: 0o644 };
  const closed = secret && (entry?.before ?? undefined) === undefined;
  return closed ? { ...now, mode: now.mode & 0o600 } : now;
}

function put({ path, wanted }: Change, as: Ownership | undefined, disk: Disk): readonly string[] {
  if (wanted !== undefined) return disk.write(path, wanted, as ?? { mode: 0o644 });
  disk.remove(path);
  return [];
}

/** What undoing would change, and apart from that what others have changed since. */
export function changesBack(backup: Backup, disk: Disk): { changes: Change[]; foreign: Change[] } {
  const changes: Change[] = [];
  const foreign: Change[] = [];
  for (const [path, entry] of Object.entries(backup.files)) {
    const [now, wanted, ours] = [disk.read(path), entry.before?.text, entry.after.at(-1) ?? undefined];
    if (now !== wanted) changes.push({ path, now, wanted, secret: false });
    if (now !== wanted && !isOurs(entry, now)) foreign.push({ path, now: ours, wanted: now, secret: false });
  }
  return { changes, foreign };
}

export function undo(changes: readonly Change[], backup: Backup, disk: Disk, file: BackupFile): void {
  for (const change of changes) put(change, backup.files[change.path]?.before ?? undefined, disk);
  for (const folder of backup.folders.toReversed()) disk.removeFolder(folder);
  file.remove();
}
