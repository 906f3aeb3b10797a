// Makes `node_modules/.bin/node` point at the Node 26 that came with the package, after an install.
//
// npm 11.19 and later make that link by themselves. npm 9, 10 and 11.0 delete it when several packages
// offer a `node` command, even if all but one of them are for other platforms and were not installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules');
const names = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`];
const binary = names.map((name) => join(modules, name, 'bin', 'node')).find((path) => existsSync(path));
const starts = (path) => spawnSync(path, ['--version'], { stdio: 'ignore' }).status === 0;
const link = join(modules, '.bin', 'node');

if (binary !== undefined && starts(binary)) {
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(relative(dirname(link), binary), link);
} else if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(`sampan needs Node 24 or later; this is ${process.version}, and no Node came with the package for`);
  console.error(
    `${process.platform}-${process.arch} that starts here (glibc 2.28 or later is needed). Install a newer Node.`,
  );
  process.exit(1);
}
