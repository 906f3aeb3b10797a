import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readings } from '../../../src/core/mirror/readings.ts';
import type { Descriptor } from '../../../src/core/oci/descriptor.ts';
import { parseDigest } from '../../../src/core/oci/digest.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 1 };
const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [] }));

function as(mediaType: string): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

const oci = as('application/vnd.oci.image.manifest.v1+json');
const docker = as('application/vnd.docker.distribution.manifest.v2+json');

test('a manifest in memory is read once', () => {
  const readings = new Readings();
  const listing = readings.read(oci, bytes);
  assert.equal(listing.config?.digest, digest);
  assert.equal(readings.read(oci, bytes), listing);
});

test('under another media type it is read anew, and refused if it is none of that', () => {
  const readings = new Readings();
  readings.read(oci, bytes);
  assert.equal(readings.read(docker, bytes).mediaType, docker.mediaType);
  assert.throws(() => readings.read(as('application/vnd.oci.image.index.v1+json'), bytes), {
    code: 'MANIFEST_INVALID',
  });
  assert.equal(readings.read(oci, bytes).mediaType, oci.mediaType);
});
