// Secrets that stand elsewhere, brought to where their keys are: what is wrong with one is told as if it stood there.
import { findSecret } from '../../config/credentials.ts';
import { layer, type Setting } from '../../config/layer.ts';
import { type Path, type Problem, problemAt } from '../../config/problem.ts';
import { valueAt, type Written } from '../../config/written.ts';
import { readSecretFiles } from './credentials.ts';

/** Each has a `_file` and an `_env` beside it. */
const keys = [['key'], ['via'], ['sentry', 'dsn']];

/** `base`: where the relative paths of a key begin. */
export async function bringSecrets(
  written: Written,
  base: (key: string) => string,
  variable: (name: string) => string | undefined,
): Promise<{ readonly written: Written; readonly problems: readonly Problem[] }> {
  const settings: Setting[] = [];
  const problems: Problem[] = [];
  for (const path of keys) {
    const [file, env] = [besides(path, '_file'), besides(path, '_env')];
    const [value, fileName, variableName] = [path, file, env].map((each) => textAt(written, each));
    const from = fileName === undefined ? env : file;
    if (textAt(written, from) === undefined) continue;
    const places = { file: await readSecretFiles([fileName], base(path[0] ?? '')), variable };
    const found = findSecret(path.at(-1) ?? '', value, fileName, variableName, places);
    if ('says' in found) problems.push(problemAt(from, found.says, written.where));
    else settings.push({ path, value: found.secret, where: written.where(from) ?? '' });
  }
  return { written: layer(written, settings), problems };
}

function besides(path: readonly string[], ending: string): readonly string[] {
  return [...path.slice(0, -1), `${path.at(-1)}${ending}`];
}

/** What is none is left to the schema. */
function textAt({ tree }: Written, path: Path): string | undefined {
  const found = valueAt(tree, path);
  return typeof found === 'string' ? found : undefined;
}
