// The flags that dockerd is started with, as far as they decide what daemon.json may say, and whether it is read at all.
import { type Machine, Refusal } from './plan.ts';
import { linesOf, unitFiles } from './unit.ts';

export const defaults = '/etc/default/docker';
export const daemonJson = '/etc/docker/daemon.json';

const ofInitScripts = [defaults, '/etc/sysconfig/docker', '/etc/conf.d/docker'];

/** dockerd does not start if a flag and daemon.json say the same thing. `wanted`: what daemon.json is to say. */
export function checkFlags(
  machine: Machine,
  flags: readonly string[],
  wanted: Readonly<Record<string, unknown>>,
): void {
  for (const path of [...ofInitScripts, ...unitFiles('docker', machine)]) {
    const lines = linesOf(path, machine);
    const flag = flags.find((each) => lines.some((line) => line.includes(`--${each}`)));
    if (flag !== undefined) {
      throw new Refusal(
        `${path} gives dockerd --${flag}, and it does not start if daemon.json says the same; take the flag away first`,
      );
    }
    const [, file = daemonJson] = /--config-file(?:=|\s+)["']?([^\s"'\\]+)/.exec(lines.join('\n')) ?? [];
    if (file === daemonJson) continue;
    const says = `${path} makes dockerd read ${file}, not ${daemonJson}; let that say:`;
    throw new Refusal(says, JSON.stringify(wanted, null, 2).split('\n').slice(1, -1));
  }
}
