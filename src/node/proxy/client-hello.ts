// The first message of TLS, read for the name of the server that the client wants to speak to (RFC 8446, section 4.1.2; RFC 6066, section 3).

/**
 * `more`: as far as it goes it is one, and not all of it is here. `hidden`: another one is encrypted in it (RFC 9849), and a server
 * that can read that serves the name in there; what only looks like it, as browsers send it to all, cannot be told from it.
 * `name`: in lower case; undefined if there is none.
 */
export type Hello = 'more' | 'not-tls' | 'hidden' | { readonly name: string | undefined };

/** Real ones have 200 bytes to 2 KiB; with keys of post-quantum algorithms, some 4. */
const largestMessage = 16 * 1024;
/** Some clients cut it in pieces, so that whoever looks at single packets reads no name. */
const mostRecords = 64;

const handshake = 22;
const clientHello = 1;
const serverName = 0;
const hostName = 0;
const encryptedClientHello = 0xfe0d;

export function readClientHello(bytes: Uint8Array): Hello {
  const joined = messageIn(bytes);
  if (typeof joined === 'string') return joined;
  try {
    return read(new Reader(joined));
  } catch (error) {
    if (error instanceof Malformed) return 'not-tls';
    throw error;
  }
}

/** The whole first message, out of as many records as it was cut into. */
function messageIn(bytes: Uint8Array): Uint8Array | 'more' | 'not-tls' {
  const pieces: Uint8Array[] = [];
  let have = 0;
  for (let at = 0; at < bytes.length;) {
    const [type, major] = [bytes[at], bytes[at + 1] ?? 3];
    if (type !== handshake || major !== 3 || pieces.length === mostRecords) return 'not-tls';
    if (at + 5 > bytes.length) return 'more';
    const length = uint16(bytes, at + 3);
    // A handshake's record is never empty (RFC 8446, section 5.1).
    if (length === 0 || length > largestMessage) return 'not-tls';
    const piece = bytes.subarray(at + 5, at + 5 + length);
    if (have === 0 && piece.length > 0 && piece[0] !== clientHello) return 'not-tls';
    pieces.push(piece);
    have += piece.length;
    at += 5 + length;
    const whole = have < 4 ? undefined : sizeIn(pieces);
    if (whole !== undefined && whole > largestMessage) return 'not-tls';
    if (whole !== undefined && have >= whole) return Buffer.concat(pieces).subarray(4, whole);
  }
  return 'more';
}

/** Of the message and its head, as the head says. */
function sizeIn(pieces: readonly Uint8Array[]): number {
  const head = Buffer.concat(pieces.slice(0, 4), 4);
  return 4 + head.readUIntBE(1, 3);
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Throws Malformed for what is no ClientHello to its last byte. */
function read(hello: Reader): Hello {
  hello.take(2 + 32); // version, random
  hello.vector(1); // session
  hello.vector(2); // cipher suites
  hello.vector(1); // compression
  if (hello.done) return { name: undefined };
  const extensions = hello.vector(2);
  if (!hello.done) throw new Malformed();
  let name: string | undefined;
  let isHidden = false;
  while (!extensions.done) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    isHidden ||= type === encryptedClientHello;
    if (type !== serverName) continue;
    // Of two, the server might take the other.
    if (name !== undefined) throw new Malformed();
    const names = data.vector(2);
    if (!data.done || names.number(1) !== hostName) throw new Malformed();
    name = Buffer.from(names.vector(2).rest).toString('latin1').toLowerCase();
    if (!names.done) throw new Malformed();
  }
  return isHidden ? 'hidden' : { name };
}

class Malformed extends Error {}

class Reader {
  rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.rest = bytes;
  }

  get done(): boolean {
    return this.rest.length === 0;
  }

  take(length: number): Uint8Array {
    if (length > this.rest.length) throw new Malformed();
    const taken = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return taken;
  }

  number(bytes: number): number {
    return this.take(bytes).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** What follows its own length, which has so many bytes. */
  vector(bytes: number): Reader {
    return new Reader(this.take(this.number(bytes)));
  }
}
