// What a client is told when a pull does not work: the error codes of the OCI distribution-spec and its JSON body.
import { hideSecrets } from './redact.ts';

/** Codes of distribution-spec, "Error Codes", and of distribution's extras (UNKNOWN, UNAVAILABLE, RANGE_INVALID, TAG_INVALID, PAGINATION_NUMBER_INVALID). */
export type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'RANGE_INVALID'
  | 'TAG_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNAVAILABLE'
  | 'UNKNOWN'
  | 'UNSUPPORTED';

const usualStatus: Readonly<Record<ErrorCode, number>> = {
  BLOB_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
};

export interface RegistryErrorOptions {
  /** HTTP status, where it is not the code's usual one. */
  readonly status?: number;
  /** Anything JSON can say; sent to the client as `detail`. */
  readonly detail?: unknown;
  /** Headers that belong to the answer: `Retry-After`, `WWW-Authenticate`, `Allow`, `Content-Range`. Names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly cause?: unknown;
}

/** An error that a client should be told. Everything else that is thrown becomes a 500 that says little. */
export class RegistryError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;

  constructor(code: ErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RegistryError';
    this.code = code;
    this.status = options.status ?? usualStatus[code];
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }

  /** The JSON body of distribution-spec, "Error Codes". An upstream's host may have an account's secret in it: it is not told. */
  body(): string {
    const error = {
      code: this.code,
      message: this.message,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
    };
    return hideSecrets(`${JSON.stringify({ errors: [error] })}\n`);
  }

  /** Milliseconds that `Retry-After` asks for; 0 if there is none, or a date (ours never is one). */
  get retryAfter(): number {
    const value = this.headers['retry-after'];
    return typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : 0;
  }

  /** The upstream cannot answer just now (429, 5xx, network): what is held may be served stale, and asking again later may help. */
  get passing(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

/** Nobody answered: the network failed, or time was up. What holds for one object holds for all that this upstream has. */
export class Unreachable extends RegistryError {
  /** How many others can be asked for the same at once: nobody has asked them. */
  readonly others: number;

  constructor(message: string, cause: unknown, others = 0) {
    super('UNAVAILABLE', message, { cause });
    this.others = others;
  }
}

/** What a registry allows us is used up, as it has told before: it was not asked. */
export class Spent extends RegistryError {
  constructor(message: string, options: RegistryErrorOptions) {
    super('TOOMANYREQUESTS', message, options);
  }
}

/**
 * By whom the registry sent us to, so the registry has said that we may have it. That the other refuses is its own trouble: a
 * signature that is only good for GET, or no longer good at all.
 */
export class RefusedElsewhere extends RegistryError {
  constructor(message: string) {
    super('UNAVAILABLE', message, { status: 502 });
  }
}

/** An answer that may be given for the range that was asked for: 400, or another part. Who goes on like that knows no ranges. */
export class NoSenseOfRange extends RegistryError {
  constructor(message: string) {
    super('UNAVAILABLE', message, { status: 502 });
  }
}
