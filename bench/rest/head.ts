// The head of an answer with a body of a known length.

const heads = /^HTTP\/1\.1 200[^]*?\r\ncontent-length: *(\d+)\r\n[^]*?\r\n\r\n/i;

export interface Head {
  /** Bytes: of the head, and of the body behind it. */
  readonly length: number;
  readonly body: number;
}

/** Undefined if it is not all there yet. Throws for one that is not 200. */
export function parseHead(text: string): Head | undefined {
  const head = heads.exec(text);
  if (head !== null) return { length: head[0].length, body: Number(head[1]) };
  if (text.includes('\r\n\r\n')) throw new Error(`not what was asked for: ${text.split('\r\n', 1)[0]}`);
  return undefined;
}
