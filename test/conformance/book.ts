// What every book must do, whatever it is written in.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Book } from '../../src/core/mirror/ports.ts';
import { parseDigest } from '../../src/core/oci/digest.ts';

const nginx = { registry: 'docker.io', name: 'library/nginx' };
const other = { registry: 'ghcr.io', name: 'library/nginx' };
const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const second = parseDigest(`sha512:${'b'.repeat(128)}`);
const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1234 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: second, size: 2 ** 40 };

/** `make` has to clean up after itself (`t.after`). */
export function describeBook(name: string, make: (t: TestContext) => Promise<Book>): void {
  describe(`the book ${name}`, () => {
    it('knows nothing that it was not told', async (t) => {
      const book = await make(t);
      assert.equal(await book.pointer(nginx, 'latest'), undefined);
      assert.equal(await book.standing(nginx, digest), undefined);
      assert.equal(await book.verdict(nginx), undefined);
    });

    it('remembers the last thing that a name pointed at', async (t) => {
      const book = await make(t);
      await book.point(nginx, 'latest', { descriptor: manifest, checkedAt: 1 });
      await book.point(nginx, 'latest', { descriptor: layer, checkedAt: 2 });
      await book.point(nginx, 'referrers/sha256:x', { descriptor: manifest, checkedAt: 3 });
      assert.deepEqual(await book.pointer(nginx, 'latest'), { descriptor: layer, checkedAt: 2 });
      assert.deepEqual(await book.pointer(nginx, 'referrers/sha256:x'), { descriptor: manifest, checkedAt: 3 });
    });

    it('keeps repositories and names apart', async (t) => {
      const book = await make(t);
      await book.point(nginx, 'latest', { descriptor: manifest, checkedAt: 1 });
      await book.link(nginx, manifest);
      await book.judge(nginx, { asOf: 1 });
      assert.equal(await book.pointer(other, 'latest'), undefined);
      assert.equal(await book.pointer(nginx, 'Latest'), undefined);
      assert.equal(await book.standing(other, digest), undefined);
      assert.equal(await book.standing(nginx, second), undefined);
      assert.equal(await book.verdict(other), undefined);
    });

    it('forgets a name that points nowhere', async (t) => {
      const book = await make(t);
      await book.point(nginx, 'latest', { descriptor: manifest, checkedAt: 1 });
      await book.point(nginx, 'latest', undefined);
      assert.equal(await book.pointer(nginx, 'latest'), undefined);
    });

    it('keeps what was proven last', async (t) => {
      const book = await make(t);
      await book.link(nginx, manifest);
      await book.link(nginx, layer);
      assert.deepEqual(await book.standing(nginx, digest), manifest);
      assert.deepEqual(await book.standing(nginx, second), layer);
      const later = { ...manifest, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' };
      await book.link(nginx, later);
      assert.deepEqual(await book.standing(nginx, digest), later);
    });

    it('forgets what the upstream has no longer', async (t) => {
      const book = await make(t);
      await book.link(nginx, manifest);
      await book.link(other, manifest);
      await book.disown(nginx, digest);
      assert.equal(await book.standing(nginx, digest), undefined);
      assert.ok(await book.standing(other, digest));
      await book.link(nginx, manifest);
      assert.deepEqual(await book.standing(nginx, digest), manifest);
    });

    it('keeps the last verdict until it is revoked', async (t) => {
      const book = await make(t);
      await book.judge(nginx, { asOf: 1 });
      await book.judge(nginx, { asOf: 2 });
      assert.deepEqual(await book.verdict(nginx), { asOf: 2 });
      await book.judge(nginx, undefined);
      assert.equal(await book.verdict(nginx), undefined);
    });

    it('reads what was written before, however many ask at once', async (t) => {
      const book = await make(t);
      const early = book.standing(nginx, digest);
      const writes = [
        book.link(nginx, { ...manifest, size: 1 }),
        book.link(nginx, manifest),
        book.point(nginx, 'latest', { descriptor: manifest, checkedAt: 1 }),
      ];
      const between = [book.standing(nginx, digest), book.pointer(nginx, 'latest')];
      await Promise.all([early, ...writes]);
      assert.deepEqual(await Promise.all(between), [manifest, { descriptor: manifest, checkedAt: 1 }]);
      assert.deepEqual(await book.standing(nginx, digest), manifest);
    });

    it('takes a use of a digest that it knows nothing of', async (t) => {
      const book = await make(t);
      book.touch(digest);
      assert.equal(await book.standing(nginx, digest), undefined);
    });
  });
}
