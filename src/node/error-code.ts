// The code that the system, or Node, gives an error: what is decided by, never its message.

export function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
