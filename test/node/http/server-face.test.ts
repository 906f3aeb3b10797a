import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isNotModified, isRangeWanted } from '../../../src/core/oci/conditional.ts';
import type { Digest } from '../../../src/core/oci/digest.ts';
import type { Pull } from '../../../src/core/oci/pull.ts';
import { resolveRange } from '../../../src/core/oci/range.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { blobHead, blobReply, manifestReply, notModified } from '../../../src/core/mirror/replies.ts';
import type { Reply } from '../../../src/core/mirror/reply.ts';
import { createServer } from '../../../src/node/http/server.ts';
import { describeFace, type RunningFace } from '../../conformance/face.ts';
import { ask, openDoor, replyOf, routing, StoppedClock } from './scripted-server.ts';

const manifest = contentOf(Buffer.from('{"schemaVersion":2}'));
const blob = contentOf(Buffer.alloc(5000, 'sampan '));
const mediaType = 'application/vnd.oci.image.manifest.v1+json';

describeFace('the Node server, over a pull that knows one image', open, {
  repository: 'library/known',
  tag: 'latest',
  manifest: { mediaType, ...manifest },
  blob,
});

async function open(): Promise<RunningFace> {
  const known = {
    ...routing,
    registry: (host: string) => (['docker.io', 'ghcr.io'].includes(host) ? host : undefined),
  };
  const door = openDoor(async (pull) => pullKnown(pull), { routing: known });
  const face = createServer({
    serving: () => ({ door, trustedPeers: [] }),
    report: () => {},
    clock: new StoppedClock(),
    ready: () => true,
    adminHere: false,
    adminFor: () => false,
    isLocal: () => false,
  });
  face.server.listen(0, '127.0.0.1');
  await once(face.server, 'listening');
  const { port } = face.server.address() as AddressInfo;
  return {
    request: ({ method, target, headers }) => ask(port, target, { method, headers }),
    close: () => face.close(0),
  };
}

function pullKnown(pull: Pull): Reply {
  switch (pull.kind) {
    case 'ping':
      return replyOf({ kind: 'none' });
    case 'manifest': {
      const { digest, bytes } = manifest;
      if (isNotModified(pull.conditions, digest)) return notModified(digest, 'hit');
      return manifestReply({ mediaType, digest, size: bytes.length }, pull.head ? undefined : bytes, 'hit');
    }
    case 'blob': {
      const { digest, bytes } = blob;
      const size = bytes.length;
      if (pull.head) return blobHead(digest, size, 'hit');
      const wanted = pull.range !== undefined && isRangeWanted(pull.conditions, digest);
      const range = wanted && pull.range !== undefined ? resolveRange(pull.range, size) : undefined;
      const { offset, length } = range ?? { offset: 0, length: size };
      return blobReply(
        digest,
        { size, range, body: { kind: 'bytes', bytes: bytes.subarray(offset, offset + length) } },
        'hit',
      );
    }
    case 'tags':
    case 'referrers':
      throw new RegistryError('NAME_UNKNOWN', 'only one image is known');
  }
}

function contentOf(bytes: Buffer): { readonly digest: Digest; readonly bytes: Buffer } {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest, bytes };
}
