// The origin's end of a WebSocket, which sends back what it is told: just enough of RFC 6455 for small messages.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** The opcode of the frame that both send in the end. */
const closing = 8;
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** For a server's `upgrade` event. */
export function talk(request: IncomingMessage, socket: Duplex): void {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${magic}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let rest = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    for (let frame = take(rest); frame !== undefined; frame = take(rest)) {
      rest = rest.subarray(frame.taken);
      socket.write(Buffer.concat([Buffer.from([frame.first, frame.payload.length]), frame.payload]));
      if ((frame.first & 0x0f) === closing) socket.end();
    }
  });
}

/** A client's frames are masked, and a server's are not. */
function take(bytes: Buffer): { readonly first: number; readonly payload: Buffer; readonly taken: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const length = second & 0x7f;
  const taken = 6 + length;
  if (length > 125) throw new Error('only small frames are understood here');
  if (bytes.length < taken) return undefined;
  const payload = Buffer.from(bytes.subarray(6, taken).map((byte, at) => byte ^ bytes[2 + (at % 4)]!));
  return { first, payload, taken };
}
