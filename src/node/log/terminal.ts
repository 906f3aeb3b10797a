// Log lines for people: time, level and sentence, and the stack where there is one. Loaded only on a terminal.
import { prettyFactory } from 'pino-pretty';

/** Where lines go; each brings its newline. */
export interface Destination {
  write(line: string): void;
}

export function terminal(output: Destination, colorize: boolean): Destination {
  const format = prettyFactory({ colorize, hideObject: true, translateTime: 'SYS:HH:MM:ss', messageFormat: sentence });
  return { write: (line) => output.write(format(line)) };
}

function sentence(line: Record<string, unknown>): string {
  const stack: unknown =
    typeof line['error'] === 'object' && line['error'] !== null ? Reflect.get(line['error'], 'stack') : undefined;
  return typeof stack === 'string'
    ? `${harmless(String(line['msg']))}\n${stack.split('\n').map(harmless).join('\n')}`
    : harmless(String(line['msg']));
}

/** Names and messages come from outside: none may move the cursor or pass for another line. */
function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '�');
}
