// Proxies told by the environment: systemd's drop-ins and environment files, and the shell's files of init scripts.
import { type Machine, type PlannedFile, Refusal } from './plan.ts';

/** Without systemd nobody knows where a service's environment is written. */
export function checkSystemd({ systemd }: Machine, url: string): void {
  if (systemd) return;
  throw new Refusal('there is no systemd here: put these into the environment in which it is started', [
    `HTTP_PROXY=${url}`,
    `HTTPS_PROXY=${url}`,
  ]);
}

/** In a unit, % begins a specifier: one that is meant is doubled. The URL has neither quotes nor spaces. */
export function proxyDropIn(service: string, url: string): PlannedFile {
  const value = url.replaceAll('%', '%%');
  const lines = ['HTTP_PROXY', 'HTTPS_PROXY'].map((name) => `Environment="${name}=${value}"\n`);
  return {
    path: `/etc/systemd/system/${service}.service.d/sampan-proxy.conf`,
    text: `# Written by sampan configure.\n[Service]\n${lines.join('')}`,
  };
}

/** `text` with the variables set, each where it was set before or behind the last line. `print` is one line. */
export function withVariables(
  text: string,
  variables: Readonly<Record<string, string>>,
  print: (name: string, value: string) => string,
): string {
  return Object.entries(variables).reduce((edited, [name, value]) => {
    const line = print(name, value);
    const set = new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}=.*$`, 'm');
    if (set.test(edited)) return edited.replace(set, () => line);
    return `${edited}${edited === '' || edited.endsWith('\n') ? '' : '\n'}${line}\n`;
  }, text);
}

/** For a file that a shell reads. */
export function exportLine(name: string, value: string): string {
  return `export ${name}='${value}'`;
}
