// What the Worker tells Sentry: its bugs, with the request that they happened to, behind the reply.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { image, layerOf } from '../fakes/registry/content.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { type FakeSentry, startSentry } from '../fakes/sentry.ts';
import { type Edge, errorOf, startEdge } from './edge.ts';

describe('a bug in the Worker', () => {
  const secret = `sampan-${'0'.repeat(33)}`;
  const target = '/v2/library/alpine/manifests/latest';
  let sentry: FakeSentry;
  let hub: FakeRegistry;
  let edge: Edge;

  before(async () => {
    sentry = await startSentry();
    hub = await startRegistry();
    hub.hold('library/alpine', image({ layers: [layerOf(Buffer.from('a layer'))] }), 'latest');
    edge = await startEdge(
      {
        access: 'open',
        registries: { 'docker.io': { endpoints: [hub.url] } },
        sentry: { dsn: sentry.dsn, environment: 'staging' },
      },
      // Manifests are hashed by it.
      { before: "crypto.subtle.digest = () => { throw new TypeError('a bug of the test'); };" },
    );
  });
  after(async () => {
    await edge.close();
    await Promise.all([sentry.close(), hub.down()]);
  });

  test('is a 500 that says little, and an event that says all but secrets', async () => {
    const headers = { cookie: 'id=swordfish', 'user-agent': secret };
    const { status, ...answer } = await edge.get(`${target}?ns=docker.io`, headers);
    assert.deepEqual([status, errorOf(answer).code], [500, 'UNKNOWN']);
    await sentry.until(1);
    const [{ environment, tags, request, exception }] = sentry.events as [(typeof sentry.events)[0]];
    assert.deepEqual([environment, tags], ['staging', { face: 'worker' }]);
    assert.deepEqual([exception.values[0]?.value, exception.values[0]?.mechanism.handled], ['a bug of the test', true]);
    assert.equal(request?.url, `http://${edge.url.host}${target}`);
    assert.equal(request.headers['user-agent'], 'sampan-…');
    assert.doesNotMatch(JSON.stringify(sentry.events), /0{33}|swordfish|ns=/);
  });

  test('does not keep the client waiting for a Sentry that is silent', async () => {
    sentry.answer = 'never';
    assert.equal((await edge.get(target)).status, 500);
    await sentry.until(2);
    assert.equal(sentry.blocked, 1);
  });
});
