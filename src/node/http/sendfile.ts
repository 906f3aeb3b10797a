// sendfile(2) by way of node:ffi: the kernel moves a file's bytes to a socket, and this process never has them.

/** Synchronous, and never waiting for a socket that is not to be waited for. */
export interface Sendfile {
  /**
   * Bytes that the socket has taken; 0: the file has no more. Below 0: the socket takes none just now, or something is wrong; which
   * of them, whoever writes to it or reads the file next is told. So nobody needs `errno`, which is another's by the time we looked.
   */
  send(socket: number, file: number, offset: number, length: number): number;
  /** Sending that part waits for no disk. False, too, where the file system does not tell. */
  isCached(file: number, offset: number, length: number): boolean;
  /** Bytes that have to come through this process. Not given: by a thread that may wait for a disk. */
  readonly readCached?: ReadCached;
}

/** Bytes that were read into the buffer, without waiting for a disk. 0 or below: none, for whatever reason. */
export type ReadCached = (file: number, into: Buffer, offset: number, length: number) => number;

/** Fail rather than wait (preadv2). */
const RWF_NOWAIT = 8;

/** Where offsets, sizes and pointers have 64 bits, and `sendfile` is called so. */
const architectures = new Set(['x64', 'arm64']);

/** Throws where there is none: another platform, a Node without ffi, or one that is not permitted to. */
export async function openSendfile(): Promise<Sendfile> {
  if (process.platform !== 'linux' || !architectures.has(process.arch)) {
    throw new Error(`not known on ${process.platform} ${process.arch}`);
  }
  const { dlopen, getRawPointer } = await import('node:ffi');
  // Kept whole: what it names is good for as long as it is.
  const libc = dlopen(null, {
    sendfile: { arguments: ['int32', 'int32', 'arraybuffer', 'uint64'], return: 'int64' },
    preadv2: { arguments: ['int32', 'arraybuffer', 'int32', 'int64', 'int32'], return: 'int64' },
  });
  // What libc is pointed at is made once: every call is over before the next begins.
  const start = new BigInt64Array(new ArrayBuffer(8));
  /** A `struct iovec` of one byte, which is the one behind it. */
  const oneByte = new BigUint64Array(new ArrayBuffer(24));
  oneByte[0] = getRawPointer(oneByte.buffer) + 16n;
  oneByte[1] = 1n;
  /** Another one, of what is read. */
  const some = new BigUint64Array(new ArrayBuffer(16));

  function isByteCached(file: number, offset: number): boolean {
    return libc.functions.preadv2(file, oneByte.buffer, 1, BigInt(offset), RWF_NOWAIT) === 1n;
  }

  return {
    send(socket, file, offset, length) {
      start[0] = BigInt(offset);
      return Number(libc.functions.sendfile(socket, file, start.buffer, BigInt(length)));
    },
    readCached(file, into, offset, length) {
      some[0] = getRawPointer(into);
      some[1] = BigInt(Math.min(length, into.length));
      return Number(libc.functions.preadv2(file, some.buffer, 1, BigInt(offset), RWF_NOWAIT));
    },
    // Of what is read and forgotten in order, all is here that lies between two bytes that are; of other files, nearly always.
    isCached: (file, offset, length) => isByteCached(file, offset + length - 1) && isByteCached(file, offset),
  };
}
