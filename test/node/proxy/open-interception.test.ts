// Which hosts are intercepted, which are tunnelled all the same, and who is told.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { openInterception } from '../../../src/node/proxy/open-interception.ts';
import { TestClock, world } from '../../core/mirror/world.ts';

const base = await mkdtemp(join(tmpdir(), 'sampan-interception-'));
after(() => rm(base, { recursive: true }));
const { mirror } = await world();

async function opened(hosts: readonly string[], data: string, clock = new TestClock()) {
  const told: MirrorEvent[] = [];
  const interception = await openInterception({
    data,
    hosts,
    mirror,
    dial: () => Promise.reject(new Error('nobody dials')),
    via: 'sampan-test',
    ca: () => undefined,
    rules: () => [],
    redirected: () => {},
    report: (event) => void told.push(event),
    limit: async () => undefined,
    clock,
  });
  after(() => interception?.close(0));
  return { interception, told };
}

describe('interception', () => {
  it('is for the hosts that the authority was made for, and what is below', async () => {
    const { interception, told } = await opened(['ghcr.io', '*.gcr.io'], await mkdtemp(join(base, 'for-')));
    const hosts = ['ghcr.io', 'eu.gcr.io', 'quay.io'];
    assert.deepEqual(
      hosts.filter((host) => interception?.covers(host)),
      ['ghcr.io', 'eu.gcr.io'],
    );
    assert.deepEqual(told, []);
  });

  it('leaves out what was added later, and tells what to do about it', async () => {
    const data = await mkdtemp(join(base, 'later-'));
    await opened(['ghcr.io'], data);
    const { interception, told } = await opened(['ghcr.io', 'quay.io'], data);
    assert.deepEqual([interception?.covers('ghcr.io'), interception?.covers('quay.io')], [true, false]);
    assert.deepEqual(told, [
      {
        kind: 'not-intercepted',
        hosts: ['quay.io'],
        why: 'the authority is good for ghcr.io alone',
        remedy: 'sampan ca renew, a new start, and on every machine that trusts the authority: sampan ca install',
      },
    ]);
  });

  it('is over when the time of the authority is', async () => {
    const data = await mkdtemp(join(base, 'old-'));
    const clock = new TestClock();
    const { interception } = await opened(['ghcr.io'], data, clock);
    clock.forward(3651 * 86_400_000);
    assert.equal(interception?.covers('ghcr.io'), false);
    const then = await opened(['ghcr.io'], data, clock);
    assert.equal(then.interception, undefined);
    assert.match(JSON.stringify(then.told), /the time of the authority is over/);
  });

  it('is not at all with an authority that cannot be used, and pulls go on', async () => {
    const data = await mkdtemp(join(base, 'bad-'));
    await opened(['ghcr.io'], data);
    await chmod(join(data, 'authority/key.pem'), 0o644);
    const { interception, told } = await opened(['ghcr.io'], data);
    assert.equal(interception, undefined);
    assert.match(JSON.stringify(told), /the authority cannot be used/);
  });
});

it('its library is loaded only where something is intercepted', () => {
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { if (url.includes('asn1')) console.log(url); return next(url, context); } });`;
  const loads = (module: string) => {
    const url = new URL(`../../../src/node/${module}`, import.meta.url).href;
    const args = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, '--eval', `await import('${url}')`];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0);
    return stdout.includes('asn1');
  };
  assert.equal(loads('proxy/open-interception.ts'), true);
  assert.equal(loads('app.ts'), false);
});
