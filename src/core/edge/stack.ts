// The stack of an error as V8 writes it, in Node and in workerd, as frames that Sentry understands.
import { clean } from './clean.ts';

export interface Frame {
  readonly function?: string;
  readonly filename: string;
  readonly lineno?: number;
  readonly colno?: number;
  /** Ours; false for what comes with the runtime and for packages. */
  readonly in_app: boolean;
}

const mostFrames = 50;
const longestLine = 1000;
/** `    at async Object.fetch (guard.js:14:12)`, `    at file:///app/main.ts:3:1` */
const called = /^ {4}at (?:async )?(.+?) \((.*)\)$/;
const bare = /^ {4}at (?:async )?(.+)$/;
const position = /^(.*?)(?::(\d+))?(?::(\d+))?$/;
const foreign = /^(?:node:|native$|<anonymous>|index \d+$)|\/node_modules\//;

/** The outermost call first, as Sentry wants it. What is no frame is left out. */
export function framesOf(error: Error): readonly Frame[] {
  const stack = stackOf(error);
  if (stack === undefined) return [];
  const lines = withoutMessage(stack, error).split('\n');
  return lines
    .flatMap((line) => parseFrame(line))
    .slice(0, mostFrames)
    .toReversed();
}

/** It is written when it is first read, and that throws where the name or the message cannot be made text. */
function stackOf(error: Error): string | undefined {
  try {
    return typeof error.stack === 'string' ? error.stack : undefined;
  } catch {
    return undefined;
  }
}

/** A message may have lines that look like frames. */
function withoutMessage(stack: string, { message }: Error): string {
  const at = typeof message !== 'string' || message === '' ? -1 : stack.indexOf(message);
  return at < 0 ? stack : stack.slice(at + message.length);
}

function parseFrame(line: string): readonly Frame[] {
  if (line.length > longestLine) return [];
  const [, name, inside] = called.exec(line) ?? [];
  const [, place = inside] = inside === undefined ? (bare.exec(line) ?? []) : [];
  if (place === undefined) return [];
  const [, filename = '', lineno, colno] = position.exec(place) ?? [];
  return [
    {
      ...(name !== undefined && { function: clean(name) }),
      filename: clean(filename),
      ...(lineno !== undefined && { lineno: Number(lineno) }),
      ...(colno !== undefined && { colno: Number(colno) }),
      in_app: !foreign.test(filename),
    },
  ];
}
