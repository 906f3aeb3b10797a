// The file that `ca` names: certificates, and nothing else.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority } from '../../../src/node/proxy/certificates.ts';
import { readConfig } from '../../../src/node/config/config.ts';
import { complaintsOf, temporaryDirectory } from './reading.ts';

const { key, certificate } = makeAuthority(['lan'], Date.now());
const other = makeAuthority(['lan'], Date.now()).certificate;
const broken = certificate.replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA');

test('one or several certificates are taken, with whatever stands between them; the path begins at the file', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'sampan.yaml'), 'registries: { a.lan: { ca: ca.pem }, b.lan: {} }');
  await writeFile(join(directory, 'ca.pem'), `the first\n${certificate}\nthe second\n${other}`);
  const { registries } = await readConfig({
    flags: { config: join(directory, 'sampan.yaml') },
    environment: {},
    directory: '/',
  });
  const at = (name: string) => registries.find((each) => each.name === name)?.ca;
  assert.equal(at('a.lan'), `${certificate.trim()}\n${other.trim()}`);
  assert.equal(at('b.lan'), undefined);
});

test('everything else is a problem of that key', async (t) => {
  const directory = await temporaryDirectory(t);
  for (const [content, says] of [
    [undefined, 'ca.pem cannot be read (ENOENT)'],
    ['', 'found no certificate in PEM in ca.pem'],
    ['not PEM', 'found no certificate in PEM in ca.pem'],
    [`${certificate}${key}`, 'found a private key in ca.pem, expected certificates alone'],
    [`${certificate}${broken}`, 'found what is none in ca.pem, as certificate 2'],
  ] as const) {
    if (content !== undefined) await writeFile(join(directory, 'ca.pem'), content);
    const environment = { SAMPAN_REGISTRIES: '{ a.lan: { ca: ca.pem } }' };
    assert.deepEqual(await complaintsOf(readConfig({ flags: {}, environment, directory })), [
      `SAMPAN_REGISTRIES: registries.a.lan.ca: ${says}`,
    ]);
  }
});
