// What the programs of this machine say of themselves.
import { execFileSync } from 'node:child_process';
import type { ClientName } from '../../core/clients/clients.ts';
import type { Machine } from '../../core/clients/plan.ts';

/** Daemons are often where an ordinary user's PATH does not look. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`, LC_ALL: 'C' };
const patience = 10_000;

const daemons: Partial<Record<ClientName, string>> = { docker: 'dockerd', containerd: 'containerd' };

/** `20.10.24+dfsg1`; undefined if it is not installed, or if the client reads the same files in every version. */
export function versionOf(client: ClientName): string | undefined {
  const daemon = daemons[client];
  const answer = daemon === undefined ? undefined : output(daemon, ['--version']);
  return /\d+\.\d+[^\s,]*/.exec(answer ?? '')?.[0];
}

export function imageStoreOfDocker(): Machine['imageStore'] {
  // Of this machine, whatever DOCKER_HOST says.
  const socket = 'unix:///var/run/docker.sock';
  const answer = output('docker', ['--host', socket, 'info', '--format', '{{json .Driver}} {{json .DriverStatus}}']);
  // Without its daemon, docker has no driver to tell of.
  if (answer === undefined || !/^"[^"]/.test(answer)) return undefined;
  return answer.includes('io.containerd.snapshotter.v1') ? 'containerd' : 'graphdriver';
}

/** What is wrong with a daemon.json, as the dockerd of this machine sees it; undefined if nothing is. */
export function complaintOfDockerd(file: string): string | undefined {
  try {
    execFileSync('dockerd', ['--validate', '--config-file', file], { env, timeout: patience, stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? '').trim() || 'dockerd --validate failed';
  }
}

function output(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, {
      env,
      timeout: patience,
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    });
  } catch {
    return undefined;
  }
}
