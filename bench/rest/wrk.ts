// Requests as fast as they are answered, by wrk.
import { need } from '../../test/lab/need.ts';
import { run } from '../../test/lab/process.ts';

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A script of its own, in Lua, that makes the requests. */
  readonly script?: string;
}

export interface Borne {
  /** A second. */
  readonly requests: number;
  /** Milliseconds that 99 of 100 requests took at most. */
  readonly p99: number;
}

export const withoutWrk = need('wrk') || undefined;

/** Throws if an answer was neither 2xx nor 3xx, or a connection broke. */
export async function bear(directory: string, load: Load): Promise<Borne> {
  const { url, connections, seconds, headers = {}, script } = load;
  const told = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const own = script === undefined ? [] : ['-s', script];
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency', ...told, ...own, url];
  const text = await run('wrk', args, { directory });
  const trouble = /Non-2xx.*|Socket errors.*/.exec(text)?.[0];
  if (trouble !== undefined) throw new Error(trouble);
  const [, requests] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? [];
  const [, p99, unit = ''] = /99%\s+([\d.]+)(us|ms|s|m)\b/.exec(text) ?? [];
  if (Number(requests ?? 0) === 0 || p99 === undefined) throw new Error(`wrk said: ${text}`);
  return { requests: Number(requests), p99: Number(p99) * ({ us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit] ?? NaN) };
}
