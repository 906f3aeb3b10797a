// What Sentry is told, how often, and what of it never: over a transport that keeps what it is given.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDsn } from '../../../src/core/edge/dsn.ts';
import { createSentry, type Tell } from '../../../src/core/edge/sentry.ts';
import type { UpstreamRequest } from '../../../src/core/upstream/fetch.ts';
import { parseEnvelope, type Told } from '../../fakes/sentry.ts';

interface Bench {
  readonly tell: Tell;
  readonly sent: UpstreamRequest[];
  /** The events that were sent. */
  readonly told: () => readonly Told[];
  now: number;
  random: number;
  answer: () => { readonly status: number; readonly headers?: Readonly<Record<string, string>> };
  cancelled: number;
  /** Of the deadline that was last set. */
  signal: AbortSignal;
  within: number;
}

function bench({ sampleRate = 1 } = {}): Bench {
  const dsn = parseDsn('https://abc@sentry.test/42');
  assert.ok(dsn !== undefined);
  const made: Omit<Bench, 'tell'> = {
    sent: [],
    told: () => made.sent.map(({ body }) => parseEnvelope(body ?? '')),
    now: 1_750_000_000_000,
    random: 0.5,
    answer: () => ({ status: 200 }),
    cancelled: 0,
    signal: new AbortController().signal,
    within: 0,
  };
  const tell = createSentry(
    { dsn, environment: 'test', sampleRate },
    {
      teller: { face: 'guard', version: '1.2.3' },
      async fetch(request) {
        made.sent.push(request);
        const { status, headers = {} } = made.answer();
        return { status, headers, body: (async function* () {})(), cancel: () => void (made.cancelled += 1) };
      },
      now: () => made.now,
      random: () => made.random,
      deadline(ms) {
        made.within = ms;
        return made.signal;
      },
    },
  );
  return Object.assign(made, { tell });
}

const oops = { error: new Error('oops'), handled: false };

async function repeat(tell: Tell, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await tell(oops);
}

const leftOut = (told: Told | undefined) => told?.extra?.['left_out'];

describe('an event', () => {
  test('goes to the project of the DSN, with its key and a deadline, and its answer is let go', async () => {
    const b = bench();
    await b.tell(oops);
    const [{ method, url, headers, trust, signal }] = b.sent as [UpstreamRequest];
    assert.deepEqual([method, url, trust], ['POST', 'https://sentry.test/api/42/envelope/', 'configured']);
    assert.equal(headers['x-sentry-auth'], 'Sentry sentry_version=7, sentry_client=sampan/1.2.3, sentry_key=abc');
    assert.ok(signal === b.signal && b.within === 3000);
    assert.equal(b.cancelled, 1);
  });

  test('says what was thrown, by whom, and why, the root of it first', async () => {
    const b = bench();
    const error = new TypeError('could not', { cause: new RangeError('because') });
    await b.tell({ error, handled: true });
    const [{ release, environment, tags, exception }] = b.told() as [Told];
    assert.deepEqual([release, environment, tags], ['sampan@1.2.3', 'test', { face: 'guard' }]);
    assert.deepEqual(
      exception.values.map(({ type, value, mechanism }) => [type, value, mechanism]),
      [
        ['RangeError', 'because', { type: 'guard', handled: true }],
        ['TypeError', 'could not', { type: 'guard', handled: true }],
      ],
    );
    assert.match(exception.values[1]?.stacktrace?.frames.at(-1)?.filename ?? '', /sentry\.test\.ts$/);
  });

  test('is made of whatever is thrown', async () => {
    const b = bench();
    const circle: Error = new Error('a circle');
    circle.cause = circle;
    for (const error of ['text', 7, null, undefined, {}, circle]) await b.tell({ error, handled: true });
    const nothing = (type: string) => `not an error: ${type}`;
    assert.deepEqual(
      b.told().map(({ exception }) => exception.values[0]?.value),
      ['text', nothing('number'), nothing('object'), nothing('undefined'), nothing('object'), 'a circle'],
    );
  });

  test('is made of an error that has no text where there should be some', async () => {
    const b = bench();
    const odd = [7, null, { toString: null }, Symbol('odd')];
    for (const found of odd) {
      await b.tell({ ...oops, error: Object.assign(new Error('x'), { name: found, message: found }) });
    }
    assert.deepEqual(
      b.told().map(({ exception: { values } }) => [values[0]?.type, values[0]?.value]),
      odd.map(() => ['Error', 'without words']),
    );
  });

  test('has no secret of anybody in it', async () => {
    const b = bench();
    const secret = `sampan-${'0'.repeat(33)}`;
    const url = `https://${secret}.hub.test/${secret}/v2/a/manifests/b?X-Amz-Signature=signature#fragment`;
    const given: Record<string, string> = {
      authorization: 'Bearer token',
      cookie: 'session=token',
      referer: 'https://a.test/?token',
      'x-edge-secret': 'token',
      'cf-connecting-ip': '203.0.113.9',
      'user-agent': `docker/29 ${secret} Bearer token https://a.test/?signature`,
      range: 'bytes=0-',
    };
    const error = new Error(`GET ${url} with Basic dG9rZW4= failed`, { cause: `Bearer token of ${secret}` });
    await b.tell({ error, handled: true, asked: { method: 'GET', url, header: (name) => given[name] } });
    const text = b.sent[0]?.body ?? '';
    for (const word of ['token', 'signature', 'fragment', '0'.repeat(33), 'dG9rZW4', '203.0.113.9', 'session']) {
      assert.ok(!text.includes(word), `${word} in ${text}`);
    }
    assert.deepEqual(b.told()[0]?.request, {
      method: 'GET',
      url: 'https://sampan-….hub.test/sampan-…/v2/a/manifests/b',
      headers: { range: 'bytes=0-', 'user-agent': 'docker/29 sampan-… Bearer … https://a.test/?…' },
    });
  });

  test('is no longer than somebody reads, whatever the error says', async () => {
    const b = bench();
    const long = 'ü\ud800\n'.repeat(1_000_000);
    await b.tell({ error: new Error(long, { cause: long }), handled: true, asked: { method: 'GET', url: `/${long}` } });
    assert.equal(b.told().length, 1);
    assert.ok(b.sent[0]!.body!.length < 60_000);
  });
});

describe('how often', () => {
  test('ten a minute, and the next one tells how many were left out', async () => {
    const b = bench();
    await repeat(b.tell, 25);
    assert.equal(b.sent.length, 10);
    b.now += 60_000;
    await repeat(b.tell, 2);
    assert.deepEqual(b.told().slice(9).map(leftOut), [undefined, 15, undefined]);
  });

  test('a sample of them, and what is not in it is not missed', async () => {
    const b = bench({ sampleRate: 0.25 });
    for (const random of [0.24, 0.25, 0.9, 0]) {
      b.random = random;
      await b.tell(oops);
    }
    assert.deepEqual(b.told().map(leftOut), [undefined, undefined]);
  });

  test('not while Sentry wants to be left alone', async () => {
    const answers: readonly (readonly [ReturnType<Bench['answer']>, number])[] = [
      [{ status: 429, headers: { 'retry-after': '120' } }, 120_000],
      [{ status: 429 }, 60_000],
      [{ status: 429, headers: { 'retry-after': '5', 'x-sentry-rate-limits': '300:error:key' } }, 300_000],
      [{ status: 200, headers: { 'x-sentry-rate-limits': '90::organization' } }, 90_000],
      [{ status: 200, headers: { 'x-sentry-rate-limits': '9:session:key, 30.5:transaction;error:key' } }, 30_500],
      [{ status: 429, headers: { 'x-sentry-rate-limits': 'soon:error:key' } }, 60_000],
    ];
    for (const [answer, ms] of answers) {
      const b = bench();
      b.answer = () => answer;
      await repeat(b.tell, 2);
      b.now += ms - 1;
      await b.tell(oops);
      assert.equal(b.sent.length, 1, JSON.stringify(answer));
      b.now += 1;
      await b.tell(oops);
      assert.equal(leftOut(b.told()[1]), answer.status === 429 ? 3 : 2);
    }
  });

  test('limits of other things than errors are not for us', async () => {
    const b = bench();
    b.answer = () => ({ status: 429, headers: { 'x-sentry-rate-limits': '300:transaction;session:key' } });
    await repeat(b.tell, 2);
    assert.equal(b.sent.length, 2);
  });

  test('what did not arrive is counted, and breaks nothing', async () => {
    const b = bench();
    b.answer = () => {
      throw new Error('refused');
    };
    await repeat(b.tell, 2);
    b.answer = () => ({ status: 503 });
    await b.tell(oops);
    b.answer = () => ({ status: 200 });
    await b.tell(oops);
    assert.equal(leftOut(b.told()[3]), 3);
  });
});
