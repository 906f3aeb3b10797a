// Proxies told by the environment: systemd's drop-ins and environment files, and the shell's files of init scripts.
import { type Machine, type PlannedFile, Refusal } from './plan.ts';
import { linesOf, unitFiles } from './unit.ts';

/** Without systemd nobody knows where a service's environment is written. */
export function checkSystemd({ systemd }: Machine, url: string): void {
  if (systemd) return;
  throw new Refusal('there is no systemd here: put these into the environment in which it is started', [
    `HTTP_PROXY=${url}`,
    `HTTPS_PROXY=${url}`,
  ]);
}

const names = ['HTTP_PROXY', 'HTTPS_PROXY'];

/** A drop-in; a login stands beside it, for what a unit itself says, systemd tells everybody. The URL has neither quotes nor spaces. */
export function proxyDropIn(service: string, url: string, machine: Machine): PlannedFile[] {
  checkEnvironmentFiles(service, url, machine);
  const path = `/etc/systemd/system/${service}.service.d/sampan-proxy`;
  const dropIn = (lines: string): PlannedFile => ({
    path: `${path}.conf`,
    text: `# Written by sampan configure.\n[Service]\n${lines}`,
  });
  if (!url.includes('@')) return [dropIn(names.map((name) => `Environment="${name}=${url}"\n`).join(''))];
  const text = names.map((name) => `${name}=${url}\n`).join('');
  return [{ path: `${path}.env`, text }, dropIn(`EnvironmentFile=${path}.env\n`)];
}

/** What stands in one of these counts more than what a unit or a drop-in says itself. */
function checkEnvironmentFiles(service: string, url: string, machine: Machine): void {
  const said = unitFiles(service, machine).flatMap((path) => linesOf(path, machine));
  const named = said.flatMap((line) => /^\s*EnvironmentFile\s*=\s*-?(\/\S+)/.exec(line)?.[1] ?? []);
  // Where the unit itself cannot be found, those that they usually name.
  const files = said.length > 0 ? named : [`/etc/default/${service}`, `/etc/sysconfig/${service}`];
  for (const path of files.map((file) => file.replace(/%[pN]/g, service))) {
    const values = linesOf(path, machine).map((line) => /^\s*(\w+)\s*=\s*(["']?)(.*?)\2\s*$/.exec(line));
    const name = names.find((each) => values.some((found) => found?.[1] === each && found[3] !== url));
    if (name === undefined) continue;
    throw new Refusal(`${path} sets ${name}, which counts more than a drop-in; take it away, or let it say:`, [
      `${name}=${url}`,
    ]);
  }
}

/** One on a line of its own: nothing else is in it, and no condition over it. */
const assignment = /^(?:export[ \t]+)?(\w+)=(?:"[^"\\]*"|'[^']*'|[^"'\s;&|\\]*)[ \t]*(?:#.*)?$/;

/**
 * `text` with the variables set: where each is set last, if that line does nothing else, or behind all others, for the last
 * one counts. `print` is one line.
 */
export function withVariables(
  text: string,
  variables: Readonly<Record<string, string>>,
  print: (name: string, value: string) => string,
): string {
  return Object.entries(variables).reduce((edited, [name, value]) => {
    const line = print(name, value);
    const lines = edited.split('\n');
    const last = lines.findLastIndex((each) => new RegExp(`^[^#]*\\b${name}=`).test(each));
    const alone = assignment.exec(lines[last] ?? '')?.[1] === name;
    if (alone) return lines.with(last, line).join('\n');
    return `${edited}${edited === '' || edited.endsWith('\n') ? '' : '\n'}${line}\n`;
  }, text);
}

/** For a file that a shell reads. */
export function exportLine(name: string, value: string): string {
  return `export ${name}='${value}'`;
}
