// `sampan configure`: tells a client to pull through sampan. Shows the change, asks, writes, and takes it back.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientName, clients } from '../../core/clients/clients.ts';
import { daemonJson } from '../../core/clients/docker-flags.ts';
import { atLeast, Refusal } from '../../core/clients/plan.ts';
import { withoutSecrets } from '../../core/clients/shown.ts';
import { cautions, Misuse } from '../../core/clients/wish.ts';
import { redact } from '../../core/oci/redact.ts';
import { complaintOfDockerd } from '../clients/ask.ts';
import { BackupFile } from '../clients/backup.ts';
import { carryOut, type Change, changesBack, changesFor, showChanges, undo } from '../clients/change.ts';
import { Disk } from '../clients/disk.ts';
import { homeFor, machineFor, type WishOptions, wishFor } from '../clients/wanted.ts';
import { agreed } from './agreed.ts';
import { whyNotPermitted } from './not-permitted.ts';

export interface ConfigureFlags extends WishOptions {
  readonly print?: true;
  readonly yes?: true;
  readonly undo?: true;
  readonly restart?: true;
  readonly root?: string;
}

type Commands = readonly (readonly string[])[];

/** Resolves with the exit code: 0, 1 if nothing was written that should have been, 2 if the options cannot be meant. */
export async function configure(client: string, flags: ConfigureFlags): Promise<number> {
  try {
    if (flags.root !== undefined && flags.restart === true) {
      throw new Misuse('--restart is for this machine, not --root');
    }
    // The command line has checked the name.
    return await (flags.undo === true ? takeBack : setUp)(client as ClientName, flags);
  } catch (error) {
    if (error instanceof Misuse) return complain(error.message, 2);
    if (error instanceof Refusal) return complain(error.message, 1);
    const closed = whyNotPermitted(error);
    if (closed !== undefined) return complain(closed, 1);
    const { code, path } = error as NodeJS.ErrnoException;
    if (code !== undefined && path !== undefined) return complain(`${path}: ${code}`, 1);
    throw error;
  }
}

async function setUp(client: ClientName, flags: ConfigureFlags): Promise<number> {
  const wish = wishFor(flags);
  const disk = diskAt(flags.root);
  const file = new BackupFile(disk, client, homeFor(client, disk));
  const backup = flags.print === true ? readIfAllowed(file) : file.read();
  const machine = machineFor(client, { disk, backup, version: flags.clientVersion });
  const plan = clients[client](wish, machine);
  const changes = changesFor(plan, disk, backup);
  const notes = [...plan.notes, ...cautions(wish.way)].map((note) => `Note: ${note}.\n`);
  const paths = new Set(changes.map(({ path }) => path));
  const foreign = backup === undefined ? [] : changesBack(backup, disk).foreign.filter(({ path }) => paths.has(path));
  checkForeign(foreign, disk, flags, 'going on from what is there now would make --undo lose that');
  const shown = showChanges(changes, disk) + notes.join('');
  print(flags.print === true ? shown : withoutSecrets(shown));
  if (changes.length === 0) print('Nothing to change.\n');
  if (changes.length === 0 || flags.print === true) return 0;
  // A version that was said need not be that of the dockerd which is here.
  const asked = disk.isWholeMachine && flags.clientVersion === undefined;
  if (asked && atLeast(machine.version, 23)) checkDaemonJson(changes);
  if (!(await mayWrite('Write this?', flags))) return 1;
  carryOut(changes, copied(plan.commands), disk, file);
  print(`Written. What was there before is kept in ${disk.shown(file.path)}; --undo brings it back.\n`);
  return finish(plan.commands, disk, flags);
}

async function takeBack(client: ClientName, flags: ConfigureFlags): Promise<number> {
  if (flags.mirror !== undefined || flags.proxy !== undefined) {
    throw new Misuse('--undo goes without --mirror and --proxy');
  }
  const disk = diskAt(flags.root);
  const file = new BackupFile(disk, client, homeFor(client, disk));
  const backup = file.read();
  if (backup === undefined) {
    print('Nothing to undo.\n');
    return 0;
  }
  const { changes, foreign } = changesBack(backup, disk);
  checkForeign(foreign, disk, flags, 'undoing would lose that');
  print(withoutSecrets(showChanges(changes, disk)));
  if (flags.print === true) return 0;
  if (changes.length > 0 && !(await mayWrite('Bring this back?', flags))) return 1;
  undo(changes, backup, disk, file);
  print('Undone.\n');
  return changes.length === 0 ? 0 : finish(backup.commands, disk, flags);
}

/** Whoever says --yes has been told, or wants it whatever it is. */
function checkForeign(foreign: readonly Change[], disk: Disk, flags: ConfigureFlags, why: string): void {
  if (foreign.length === 0) return;
  print(`Changed by somebody else since sampan wrote it:\n${withoutSecrets(showChanges(foreign, disk))}`);
  if (flags.yes !== true && flags.print !== true) throw new Refusal(`${why}; --yes does it all the same`);
}

function diskAt(root = '/'): Disk {
  try {
    return new Disk(root);
  } catch {
    throw new Misuse(`--root: there is no directory ${root}`);
  }
}

/** Who only looks need not be root, and then cannot see what an earlier run has kept. */
function readIfAllowed(file: BackupFile) {
  try {
    return file.read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}

/** The daemon itself looks at what it would get. */
function checkDaemonJson(changes: readonly Change[]): void {
  const text = changes.find(({ path }) => path === daemonJson)?.wanted;
  if (text === undefined) return;
  const directory = mkdtempSync(join(tmpdir(), 'sampan-'));
  try {
    const file = join(directory, 'daemon.json');
    writeFileSync(file, text, { mode: 0o600 });
    const complaint = complaintOfDockerd(file);
    if (complaint !== undefined) throw new Refusal(`dockerd would not take this, so nothing was written: ${complaint}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function mayWrite(question: string, flags: ConfigureFlags): Promise<boolean> {
  const answer = flags.yes === true || (await agreed(question));
  if (answer === undefined) {
    complain('nothing was written: there is no terminal to ask at; --yes writes without asking, --print only shows', 1);
  } else if (!answer) {
    print('Nothing was written.\n');
  }
  return answer === true;
}

function finish(commands: Commands, disk: Disk, flags: ConfigureFlags): number {
  // Below another root nothing runs.
  if (!disk.isWholeMachine) return 0;
  if (commands.length > 0 && flags.restart === true) return run(commands);
  const lines = commands.map((command) => command.join(' '));
  print(lines.length === 0 ? 'It counts from the next pull on.\n' : `It counts after: ${lines.join(' && ')}\n`);
  return 0;
}

function run(commands: Commands): number {
  for (const [program = '', ...args] of commands) {
    const line = [program, ...args].join(' ');
    try {
      print(`${line}\n`);
      execFileSync(program, args, { stdio: 'inherit' });
    } catch {
      return complain(`${line} failed; what was written stays, --undo takes it back`, 1);
    }
  }
  return 0;
}

function copied(commands: Commands): string[][] {
  return commands.map((command) => [...command]);
}

function print(text: string): void {
  process.stdout.write(text);
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`sampan: ${redact(message.trimEnd())}\n`);
  return exitCode;
}
