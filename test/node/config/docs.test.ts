// What docs/configuration.md shows is true.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { leaves } from '../../../src/config/keys.ts';
import { schema } from '../../../src/node/config/schema.ts';
import { complaints } from './reading.ts';

const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const page = read('configuration.md');

test('every example is right', async (t) => {
  const pages = [page, ...['login.md', 'proxy.md', 'interception.md', 'tls.md', 'rate-limits.md'].map(read)].join('\n');
  const examples = [...pages.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, yaml = '']) => yaml);
  assert.ok(examples.length > 10);
  // Files and variables are not here.
  const elsewhere = /(password|secret|key)_(?:file|env): [^ }\n]+/g;
  for (const yaml of examples) {
    // Each shows one key; the one that listens everywhere is about the other that it needs.
    const whole = (yaml.startsWith('listen: 0.0.0.0') ? `${yaml}access: open\n` : yaml)
      .replace(elsewhere, `$1: ${'x'.repeat(32)}`)
      .replace(/ca: .+\.pem/, '')
      .replace(/^htpasswd: .*$/m, 'htpasswd: /dev/null');
    assert.deepEqual(await complaints(t, whole), [], yaml);
  }
});

test('every key has its row, with its variable', () => {
  for (const path of leaves(schema)) {
    const row = page.split('\n').find((line) => line.startsWith(`| [\`${path.join('.')}\`]`));
    assert.ok(row?.includes(`\`SAMPAN_${path.join('_').toUpperCase()}\``), path.join('.'));
  }
});
