// What a test can switch on a fake registry while it runs. With nothing switched it conforms.
import type { Bend } from './bent.ts';
import type { Gate } from './gate.ts';
import type { Asked } from './listener.ts';

/** Blobs that a lever is for; undefined is all of them. */
interface Of {
  readonly digest?: string;
}

/** How the body of a blob goes out: of the registry's own, and of a CDN's. */
export interface BlobLevers {
  /** Destroys the connection after so many bytes of the body, so many times. */
  breakOff: ({ readonly after: number; times: number } & Of) | undefined;
  /** After so many bytes of the body, waits at the gate. */
  stall: ({ readonly after: number; readonly gate: Gate } & Of) | undefined;
  /** Before every so many bytes of the body, waits at the gate. */
  throttle: ({ readonly bytes: number; readonly gate: Gate } & Of) | undefined;
  /** `all`: other bytes of the same length; `last`: only the last byte is wrong. */
  lie: ({ readonly bytes: 'all' | 'last' } & Of) | undefined;
  /** False: a chunked body, of blobs and manifests. */
  contentLength: boolean;
  /** False: every GET of a blob is a 200 with the whole. */
  ranges: boolean;
  /** First match answers, in place of what would be. */
  answers: Answer[];
  /** How each GET of a blob goes wrong, past all of the above; undefined: as they say. */
  bend: ((asked: Asked, digest: string) => Bend | undefined) | undefined;
}

/** A canned answer for some requests. */
export interface Answer {
  /** Tested against path and query. */
  readonly path: RegExp;
  readonly method?: 'GET' | 'HEAD';
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Waits there before it goes out. */
  readonly gate?: Gate;
  /** Endless if undefined. */
  times?: number;
}

export interface Levers extends BlobLevers {
  /** Demands a token of the registry's own /token. */
  token: TokenLever | undefined;
  /** Whatever it says to a request waits for this. */
  hold: ((asked: Asked) => Promise<void> | undefined) | undefined;
  /** Origin that blobs are redirected to: `http://127.0.0.1:port`. */
  redirect: string | undefined;
  /** When `Docker-Content-Digest` is sent. */
  digestHeader: 'always' | 'get only' | 'never';
  /** False: HEAD is answered 405. */
  head: boolean;
  /** False: no referrers endpoint, 404. */
  referrers: boolean;
  /** Tags on one page. */
  pageSize: number;
  /** Of GETs of manifests, how many are left; HEADs are free. undefined: it counts nothing. */
  counts: { readonly limit: number; left: number } | undefined;
}

export interface TokenLever {
  /** Seconds. Undefined: not told, which means 60 (distribution, token spec). */
  readonly expiresIn?: number;
  /** Repositories that need a login at /token; anybody gets a token, but not for these. */
  readonly private?: readonly string[];
  /** By `user:password`: the private repositories that it may pull; any other login is wrong. Undefined: every login may pull all. */
  readonly logins?: Readonly<Record<string, readonly string[]>>;
  /** True: a form with a login is taken too, and who asks for it gets a token to refresh with. */
  readonly post?: boolean;
  /** What its tokens begin with, to tell them from another registry's. */
  readonly mark?: string;
}

export function noBlobLevers(): BlobLevers {
  return {
    breakOff: undefined,
    stall: undefined,
    throttle: undefined,
    lie: undefined,
    contentLength: true,
    ranges: true,
    answers: [],
    bend: undefined,
  };
}

export function noLevers(): Levers {
  return {
    ...noBlobLevers(),
    token: undefined,
    hold: undefined,
    redirect: undefined,
    digestHeader: 'always',
    head: true,
    referrers: true,
    pageSize: 1000,
    counts: undefined,
  };
}

/** Canned answers as registries and the boxes before them give. */
export const answer = {
  tooMany: (path: RegExp, retryAfter = '30'): Answer =>
    error(path, 429, 'TOOMANYREQUESTS', { 'retry-after': retryAfter }),
  unavailable: (path: RegExp, status = 503): Answer => error(path, status, 'UNAVAILABLE'),
  unauthorized: (path: RegExp): Answer => error(path, 401, 'UNAUTHORIZED'),
  denied: (path: RegExp): Answer => error(path, 403, 'DENIED'),
  missing: (path: RegExp): Answer => error(path, 404, 'NAME_UNKNOWN'),
  html: (path: RegExp, status = 200): Answer => ({
    path,
    status,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>A page</title><p>Not what you asked for.\n',
  }),
};

function error(path: RegExp, status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = JSON.stringify({ errors: [{ code, message: 'by a lever of the test' }] });
  return { path, status, headers: { 'content-type': 'application/json', ...headers }, body };
}
