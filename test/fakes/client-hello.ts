// What a client of TLS says first, built by hand.

/** A ClientHello for that host, as TLS 1.2 and 1.3 begin. `more`: extensions behind the name. */
export function helloFor(host: string, more: Buffer = Buffer.alloc(0)): Buffer {
  const name = Buffer.from(host, 'latin1');
  const names = Buffer.concat([Buffer.from([0]), vector(2, name)]);
  const extension = Buffer.concat([Buffer.from([0, 0]), vector(2, vector(2, names))]);
  return recordOf(messageOf(Buffer.concat([host === '' ? Buffer.alloc(0) : extension, more])));
}

export function messageOf(extensions: Buffer): Buffer {
  const body = [
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32)),
    vector(2, Buffer.from([0x13, 1])),
  ];
  const message = Buffer.concat([...body, vector(1, Buffer.from([0])), vector(2, extensions)]);
  return Buffer.concat([Buffer.from([1]), vector(3, message)]);
}

export function recordOf(fragment: Buffer): Buffer {
  return Buffer.concat([Buffer.from([22, 3, 1]), vector(2, fragment)]);
}

export function vector(lengthBytes: number, bytes: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(bytes.length, 0, lengthBytes);
  return Buffer.concat([length, bytes]);
}
