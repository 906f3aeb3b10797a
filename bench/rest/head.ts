// The head of an answer with a body of a known length.

const end = '\r\n\r\n';

export interface Head {
  /** Bytes: of the head, and of the body behind it. */
  readonly length: number;
  readonly body: number;
}

/** Undefined if it is not all there yet. Throws for one that is not 200. */
export function parseHead(text: string): Head | undefined {
  const length = text.indexOf(end) + end.length;
  if (length < end.length) return undefined;
  const head = text.slice(0, length);
  const body = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
  if (!head.startsWith('HTTP/1.1 200 ') || body === undefined) {
    throw new Error(`not what was asked for: ${head.split('\r\n', 1)[0]}`);
  }
  return { length, body: Number(body) };
}
