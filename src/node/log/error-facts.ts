// What of an error is told: an allow-list, because libraries hang requests and responses, headers and all, on theirs.

export interface ErrorFacts {
  readonly name?: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorFacts;
}

const deepestCause = 5;

/** `stack`: only where somebody will have to look for a bug. */
export function factsOf(error: unknown, stack: boolean, depth = 0): ErrorFacts {
  if (!(error instanceof Error)) {
    return { message: typeof error === 'string' ? error : `not an error: ${typeof error}` };
  }
  const code: unknown = Reflect.get(error, 'code');
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    ...(stack && error.stack !== undefined ? { stack: error.stack } : {}),
    ...(error.cause === undefined || depth === deepestCause ? {} : { cause: factsOf(error.cause, stack, depth + 1) }),
  };
}

/** One line: the message and those of its causes, or the code where there is no message. */
export function summary(error: unknown): string {
  const texts: string[] = [];
  for (let facts: ErrorFacts | undefined = factsOf(error, false); facts !== undefined; facts = facts.cause) {
    texts.push(facts.message || facts.code || facts.name || 'unknown error');
  }
  return texts.join(': ');
}
