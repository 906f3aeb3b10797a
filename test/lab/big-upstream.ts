// A fake registry in a process of its own, with one image of one huge layer, so that the test that measures is not what is slow.
import { generated } from '../fakes/registry/bytes.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';

/** The first message. To any message back, it answers how often the layer was fetched. */
export interface Big {
  readonly url: string;
  readonly digest: string;
}

const layer = layerOf(generated(1, Number(process.argv[2])));
const registry = await startRegistry();
registry.hold('library/big', image({ layers: [layer] }), 'latest');
const big: Big = { url: registry.url, digest: layer.digest };
process.send?.(big);
process.on('message', () => process.send?.(registry.asked(layer.digest, 'GET').length));
process.on('disconnect', () => process.exit());
