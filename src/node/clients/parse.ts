// TOML and YAML as clients read them, and where they are wrong.
import { parse, TomlError } from 'smol-toml';
import { LineCounter, parseDocument } from 'yaml';
import { Malformed, type Parse } from '../../core/clients/plan.ts';

export const parseToml: Parse = (text) => {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its message draws the place; the first line says what.
    const [says = ''] = error.message.split('\n');
    throw new Malformed(says, error.line, error.column);
  }
};

export const parseYaml: Parse = (text) => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [error] = document.errors;
  if (error === undefined) return document.toJS();
  const { line, col } = lines.linePos(error.pos[0]);
  throw new Malformed(error.message, line, col);
};
