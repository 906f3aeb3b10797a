// The Worker owes whoever speaks HTTP to it what the Node server owes.
import { describeFace } from '../conformance/face.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { startEdge } from './edge.ts';

const layer = layerOf(Buffer.alloc(5000, 'sampan '));
const known = image({ layers: [layer] });

describeFace(
  'the Worker, over a registry',
  async () => {
    const registry = await startRegistry();
    registry.hold('library/known', known, 'latest');
    const edge = await startEdge({
      access: 'open',
      registries: { 'docker.io': { endpoints: [registry.url] } },
    });
    return {
      request: edge.ask,
      close: async () => {
        await edge.close();
        await registry.down();
      },
    };
  },
  {
    repository: 'library/known',
    tag: 'latest',
    manifest: { mediaType: known.mediaType, digest: known.digest, bytes: known.body },
    blob: { digest: layer.digest, bytes: Buffer.alloc(5000, 'sampan ') },
  },
);
