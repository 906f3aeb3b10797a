// What was trusted, or said, for a registry before there was a hosts.toml of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clients } from '../../../src/core/clients/clients.ts';
import { byMirror, byProxy, ca, machine, texts } from './machines.ts';

const certs = '/etc/containerd/certs.d';
const registry = { name: 'reg.test:5443', server: 'https://reg.test:5443' };
const wish = byMirror(undefined, { registries: [registry] });
const config = { '/etc/containerd/config.toml': 'disabled_plugins = ["cri"]\n' };
const host = '[host."http://127.0.0.1:5050"]\n  capabilities = ["pull", "resolve"]\n';

test('certificates and keys that lie in the folder are named, for a hosts.toml switches them off', () => {
  const folder = `${certs}/reg.test:5443`;
  const names = ['ca.crt', 'other.crt', 'me.cert', 'me.key', 'alone.cert', 'stray.key'];
  const files = { ...config, ...Object.fromEntries(names.map((name) => [`${folder}/${name}`, 'pem'])) };
  assert.equal(
    texts('containerd', wish, { version: '1.6.20', files })[`${folder}/hosts.toml`],
    `server = "https://reg.test:5443"
ca = ["${folder}/ca.crt", "${folder}/other.crt"]
client = [["${folder}/alone.cert"], ["${folder}/me.cert", "${folder}/me.key"]]

${host}`,
  );
  // To containerd an empty file is none.
  const empty = { ...files, [`${folder}/hosts.toml`]: '' };
  const text = clients.containerd(wish, machine({ version: '1.6.20', files: empty })).files[0]?.text;
  assert.match(text ?? '', /^ca = \[/m);
});

test('a folder host_port_ is written into where there is one, because it is looked into first', () => {
  const folder = `${certs}/reg.test_5443_`;
  const files = { ...config, [`${folder}/hosts.toml`]: 'server = "https://other"\n' };
  const on = { version: '1.6.20', files };
  assert.deepEqual(texts('containerd', wish, on), { [`${folder}/hosts.toml`]: `server = "https://other"\n\n${host}` });
  const trusting = byProxy(undefined, { registries: [registry], ca });
  assert.ok(Object.keys(texts('containerd', trusting, on)).includes(`${folder}/sampan-ca.crt`));
});

test('it says for which registries _default no longer counts', () => {
  const said = '/etc/docker/certs.d/_default/hosts.toml';
  const files = { [said]: '', [`${certs}/_default/hosts.toml`]: '', [`${certs}/ghcr.io/ca.crt`]: '', ...config };
  const { notes } = clients.containerd(byMirror(), machine({ version: '1.6.20', files }));
  assert.match(notes.join('\n'), /_default, certificates too, no longer counts for docker\.io$/m);
  const docker = machine({ version: '29.0.0', imageStore: 'containerd', files });
  assert.match(clients.docker(byMirror(), docker).notes.join('\n'), /no longer counts for docker\.io, ghcr\.io$/m);
});
