// The way in which accounts with passwords of a file may have an image; one of them did until its line was taken away.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { hashSync } from 'bcryptjs';
import { later, nothing, sealed, type Way } from '../conformance/attack-ways.ts';
import { basic } from '../conformance/door.ts';

const directory = mkdtempSync(join(tmpdir(), 'sampan-attacked-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'users');

function write(...names: readonly string[]): void {
  writeFileSync(file, names.map((name) => `${name}:${hashSync(`${name}-word`, 4)}\n`).join(''));
}

const [carol, dave, erin] = ['carol', 'dave', 'erin'].map((name) => basic(name, `${name}-word`));
const allow = ['docker.io/acme/*'];

export const passwords: Way = {
  alone: true,
  settings({ hub }) {
    write('carol', 'dave', 'erin');
    const credentials = { username: 'owner', password: 'swordfish' };
    return {
      access: 'login',
      htpasswd: file,
      accounts: { carol: { allow }, erin: { allow } },
      registries: { 'docker.io': { endpoints: [hub.url], login: 'account', credentials } },
    };
  },
  owner: () => carol,
  guest: () => dave,
  async staged(lab) {
    for (const path of ['manifests/1', 'tags/list']) {
      assert.equal((await lab.ask({ target: `/v2/acme/hit/${path}` }, erin)).status, 200);
    }
    write('carol', 'dave');
    await lab.face.reload?.();
  },
  attackers: {
    'another account': () => dave,
    'another account with the right one’s name': () => basic('carol', 'dave-word'),
    'an account whose line is gone': () => erin,
    'a token of an account whose line is gone': () => sealed({ kind: 'account', name: 'erin', kept: '' }, later),
    nobody: nothing,
  },
  // Who guesses so often from one place is not listened to.
  from: (attack) => `198.51.${attack >> 8}.${attack & 255}`,
};
