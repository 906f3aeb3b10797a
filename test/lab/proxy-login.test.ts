// Real clients that show an account of sampan's to the forward proxy, as a part of its URL.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { kept, key, secrets } from '../conformance/door.ts';
import { containerd } from './clients/containerd.ts';
import { podman } from './clients/containers.ts';
import { docker } from './clients/docker.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { freePort, run } from './process.ts';
import { type Sampan, startSampan } from './sampan.ts';
import { type Secure, startSecure } from './secure.ts';

const { alice: secret } = secrets;

describe('a pull through tunnels that want a login', { skip: need(...parts) }, () => {
  let lab: Lab;
  let secure: Secure;
  let sampan: Sampan;
  let listen: string;

  before(async () => {
    lab = await startLab();
    secure = await startSecure(lab);
    listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
    const accounts = { alice: { mac: await kept(secret) } };
    const more = { catalogue: true, resolve: secure.resolve, proxy: { listen }, access: 'login', key, accounts };
    sampan = await startSampan(lab.directory, {}, more);
  });
  after(async () => {
    await sampan?.stop();
    await secure?.stop();
    await lab?.close();
  });

  for (const client of [docker, containerd, podman]) {
    test(`${client.name} is let in with one, and not without`, { skip: need(...client.needs) }, async () => {
      const pull = async (login: string) => {
        const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
        const way = { address: undefined, prefix: '', proxy: `http://${login}${listen}`, ca: secure.ca };
        return client.pull('library/multi:latest', way, directory);
      };
      await assert.rejects(pull(''), /[Pp]roxy.?[Aa]uthentication|407|this proxy wants an account/);
      const { digests } = await pull(`alice:${secret}@`);
      assert.ok(digests.includes(lab.digests.multi));
      assert.doesNotMatch(sampan.output, new RegExp(secret));
    });
  }

  test('curl is let in with one, and told in a sentence what it lacks', { skip: need('curl') }, async () => {
    const curl = (...args: string[]) => {
      const all = ['--silent', '--show-error', '--verbose', '--cacert', secure.ca, '--proxy', `http://${listen}`];
      return run('curl', [...all, ...args, 'https://registry-1.docker.io/v2/'], { directory: lab.directory });
    };
    assert.match(await curl('--proxy-user', `alice:${secret}`), /401 Unauthorized/);
    for (const [args, says] of [
      [[], /407 this proxy wants an account's login/],
      [['--proxy-user', 'alice:password'], /407 this proxy wants an account's login/],
      [['--proxy-user', `bob:${secret}`], /407 no account of this mirror/],
    ] as const) {
      await assert.rejects(curl(...args), says);
    }
  });
});
