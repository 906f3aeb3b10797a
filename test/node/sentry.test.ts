// What the mirror on Node tells Sentry: its bugs, and no other trouble.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseDsn } from '../../src/core/edge/dsn.ts';
import { openSentry, type SentryListener } from '../../src/node/sentry.ts';
import { type FakeSentry, startSentry } from '../fakes/sentry.ts';

const direct = { resolve: {}, dns: undefined, via: undefined };

async function open(t: TestContext): Promise<{ readonly fake: FakeSentry; readonly listener: SentryListener }> {
  const fake = await startSentry();
  t.after(() => fake.close());
  const sentry = { dsn: parseDsn(fake.dsn)!, environment: 'test', sampleRate: 1 };
  return { fake, listener: openSentry({ ...direct, sentry }) };
}

test('a bug is told, with what was asked for; trouble is not', async (t) => {
  const { fake, listener } = await open(t);
  listener.report({ kind: 'trouble', where: 'store', doing: 'writing a blob', error: new Error('full') });
  const asked = { method: 'GET', url: '/v2/docker.io/library/alpine/manifests/latest' };
  listener.report({ kind: 'bug', error: new TypeError('oops'), asked });
  await listener.close();
  assert.deepEqual(fake.refused, []);
  assert.deepEqual(
    fake.events.map(({ tags, request, exception: { values } }) => [tags, request, values[0]?.value]),
    [[{ face: 'mirror' }, { ...asked, headers: {} }, 'oops']],
  );
});

test('the end waits for what is on its way, and for no longer than Sentry lives', async (t) => {
  const { fake, listener } = await open(t);
  fake.answer = 'never';
  listener.crashed(new Error('the end'));
  const closed = listener.close();
  await fake.until(1);
  assert.equal(fake.events[0]?.exception.values[0]?.mechanism.handled, false);
  assert.equal(fake.blocked, 1);
  fake.hangUp();
  await closed;
});

test('without a DSN nobody is told', async () => {
  const listener = openSentry({ ...direct, sentry: undefined });
  listener.report({ kind: 'bug', error: new Error('oops') });
  listener.crashed(new Error('oops'));
  await listener.close();
});
