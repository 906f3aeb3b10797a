// Manifests that a mirror must refuse: old, cut off, too big, or two things at once.
import { image, index, type Item, json, raw, types } from './content.ts';

export function schema1(): Item {
  const body = {
    schemaVersion: 1,
    name: 'library/old',
    tag: 'latest',
    architecture: 'amd64',
    fsLayers: [],
    history: [],
    signatures: [],
  };
  return raw('application/vnd.docker.distribution.manifest.v1+prettyjws', json(body));
}

export function truncated(): Item {
  const { body } = image();
  return raw(types.oci.manifest, body.subarray(0, body.length >> 1));
}

/** Valid, and one byte over 4 MiB unless told otherwise. */
export function oversized(size = 4 * 1024 * 1024 + 1): Item {
  const { body, blobs } = image();
  const bare = json({ ...JSON.parse(body.toString()), annotations: { padding: '' } });
  const padded = json({ ...JSON.parse(body.toString()), annotations: { padding: ' '.repeat(size - bare.length) } });
  return { ...raw(types.oci.manifest, padded), blobs };
}

/** One document that is valid as an image and as an index (CVE-2021-41190). */
export function indexAndImage(mediaType: string = types.oci.manifest): Item {
  const one = image();
  const both = {
    ...JSON.parse(index([one]).body.toString()),
    ...JSON.parse(one.body.toString()),
    mediaType: undefined,
  };
  return { ...raw(mediaType, json(both)), blobs: one.blobs, children: [one] };
}
