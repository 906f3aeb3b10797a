// What --print-config shows is what counts, can be read again, and has no secret in it.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as z from 'zod';
import { isFilePath } from '../../../src/config/fields.ts';
import { maskOf } from '../../../src/config/secrets.ts';
import { createSecret } from '../../../src/core/access/secret.ts';
import { readConfig, readWhole } from '../../../src/node/config/config.ts';
import { printed } from '../../../src/node/config/printed.ts';
import { schema } from '../../../src/node/config/schema.ts';
import { everyLeaf, treeWith } from './leaves.ts';
import { temporaryDirectory } from './reading.ts';

const canary = 'canary0123456789abcdef0123456789abcdef';
const accountSecret = createSecret(new Uint8Array(16).fill(7));

/** Ways to write something that nobody should see, of which each key takes some or none. */
const writings = [
  canary,
  `https://a.example/${canary}`,
  `https://${canary}.example`,
  `http://${canary}:${canary}@proxy.lan:3128`,
  `https://${canary}@sentry.example/1`,
  `https://${accountSecret}.example/${accountSecret}`,
  `hmac-sha256:${'ca'.repeat(32)}`,
];
const giveaway = new RegExp(`${canary}|${accountSecret}|(?:ca){32}`, 'i');

const print = (tree: unknown) => printed(tree, () => '/');

describe('a secret', () => {
  const named = [...everyLeaf(schema)].filter(({ path }) =>
    /(?:password|passphrase|token|key|mac|secret|dsn|via)$/.test(String(path.at(-1))),
  );

  test('has a name by which it is known, and is marked as one in the schema, or as the path of a file', () => {
    assert.ok(named.length > 5);
    for (const { path, schema: leaf } of named) {
      assert.ok(maskOf(leaf) !== undefined || isFilePath(leaf), `mark ${path.join('.')} by secret()`);
    }
  });

  const marked = [...everyLeaf(schema)].filter(({ schema: leaf }) => maskOf(leaf) !== undefined);
  for (const { path, schema: leaf } of marked) {
    test(`never comes out of ${path.join('.')}, whatever it looks like`, () => {
      const taken = writings.filter((writing) => z.safeParse(leaf, writing).success);
      // What has the form of a header's name is no secret.
      assert.ok(taken.length > 0 || path.join('.') === 'edge.headers.secret', 'nothing was tried');
      for (const writing of taken) {
        const text = print(treeWith(path, writing));
        // By its last name; its host, if it is a URL, may be seen.
        assert.match(text, new RegExp(`${path.findLast((step) => typeof step === 'string')}`));
        if (!/^https:\/\/canary\w*\.example$/.test(writing)) assert.doesNotMatch(text, giveaway);
      }
    });
  }

  test('of an account comes out nowhere, not from the URL of an endpoint either', () => {
    for (const { path, schema: leaf } of everyLeaf(schema)) {
      for (const writing of writings.filter((each) => each.includes(accountSecret))) {
        if (!z.safeParse(leaf, writing).success) continue;
        assert.doesNotMatch(print(treeWith(path, writing)), new RegExp(accountSecret), path.join('.'));
      }
    }
  });

  test('is not brought out of its file or its variable', async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'secret'), canary);
    const yaml = [
      'key_file: secret',
      'via_env: PROXY',
      'edge: { secret_file: secret }',
      'registries: { docker.io: { credentials: { username: u, password_file: secret } } }',
      'sentry: { dsn_env: DSN }',
    ].join('\n');
    await writeFile(join(directory, 'sampan.yaml'), yaml);
    const environment = { PROXY: `http://u:${canary}@a.lan:1`, DSN: `https://${canary}@sentry.example/1` };
    const { config, tree, base } = await readWhole({ flags: { config: 'sampan.yaml' }, environment, directory });
    const text = printed(tree, base);
    assert.doesNotMatch(text, giveaway);
    assert.ok(text.includes(`key_file: ${directory}/secret\n`));
    assert.deepEqual([config.key, config.via?.login?.password, config.sentry?.dsn.key], [canary, canary, canary]);
  });
});

describe('what is printed', () => {
  const whole = (flags: object, environment: Readonly<Record<string, string>>, directory: string) =>
    readWhole({ flags, environment, directory });

  test('is read again as the same, file, variables, flags, defaults and relative paths', async (t) => {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, 'elsewhere'));
    const yaml = [
      'data: kept',
      'access: { networks: [10.0.0.0/8, "fd00::/8"] }',
      'storage: { limit: 20GiB }',
      'tls: { certificate: a.pem, key: b.pem }',
      'registries: { a.lan: { fresh_for: 2m, login: none }, "*.b.lan": { endpoints: ["https://c.lan/{host}"] } }',
      'hosts: { hub.lan: docker.io }',
      'resolve: { a.lan: "[::1]:443" }',
      'proxy: { listen: "127.0.0.1:8384", allow: ["*.cdn.example.com"], intercept: [docker.io] }',
    ].join('\n');
    await writeFile(join(directory, 'sampan.yaml'), yaml);
    const environment = { SAMPAN_STOP_WITHIN: '5s', SAMPAN_PULL_AHEAD: 'off', SAMPAN_STORAGE_SCRUB: 'off' };
    for (const first of [
      await whole({ config: 'sampan.yaml', listen: '0.0.0.0:1', logLevel: 'warn' }, environment, directory),
      await whole({}, {}, directory),
    ]) {
      const path = join(directory, 'elsewhere/printed.yaml');
      await writeFile(path, printed(first.tree, first.base));
      assert.deepEqual(await readConfig({ flags: { config: path }, environment: {}, directory: '/' }), first.config);
    }
  });

  test('names what is usual where nothing was written, and leaves out what does not count then', () => {
    const text = print({});
    assert.match(text, /^listen: 127\.0\.0\.1:5050$/m);
    assert.match(text, /^ {2}limit: 50GB$/m);
    assert.doesNotMatch(text, /^(?:edge|admin|accounts|via):/m);
  });
});
