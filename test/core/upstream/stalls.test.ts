// Upstreams that stop sending, or only drip.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { anonymous } from '../../../src/core/access/caller.ts';
import { letGo } from '../../../src/core/mirror/ports.ts';
import { Unreachable } from '../../../src/core/oci/errors.ts';
import { Stalls } from '../../../src/core/upstream/stalls.ts';
import { Alarms } from '../../fakes/alarms.ts';
import { repository, sha256, signal, upstreamThat } from './bench.ts';

function patience(after = '10000') {
  let time = 0;
  let lost = 0;
  const alarms = new Alarms(() => time);
  const stalls = new Stalls({ now: () => time }, { alarm: alarms.alarm, after: Number });
  const begin = (registry: string) => stalls.patience(registry, () => (lost += 1));
  const forward = (ms: number) => {
    time += ms;
    alarms.ring();
  };
  return { begin, forward, lost: () => lost, patience: begin(after) };
}

describe('patience', () => {
  it('is lost when nothing has come for that long, and not before', () => {
    const { patience: one, forward, lost } = patience();
    one.waits();
    forward(9999);
    assert.equal(lost(), 0);
    forward(1);
    assert.deepEqual([lost(), one.lost], [1, true]);
    forward(60_000);
    assert.equal(lost(), 1);
  });

  it('begins anew with what comes, but not with drops', () => {
    const { patience: one, forward, lost } = patience();
    const wait = (ms: number, bytes: number) => {
      one.waits();
      forward(ms);
      one.brought(bytes);
    };
    for (let i = 0; i < 5; i += 1) wait(9000, 10_000);
    for (let i = 0; i < 100; i += 1) wait(500, 1024);
    assert.equal(lost(), 0);
    for (let i = 0; i < 19; i += 1) wait(500, 100);
    assert.equal(lost(), 0);
    one.waits();
    forward(500);
    assert.equal(lost(), 1);
  });

  it('does not count the time in which nothing is waited for', () => {
    const { patience: one, forward, lost } = patience();
    one.waits();
    forward(9000);
    one.brought(1);
    for (let i = 0; i < 10; i += 1) forward(5000);
    assert.equal(lost(), 0);
    one.waits();
    forward(1000);
    assert.equal(lost(), 1);
  });

  it('is each connection’s own, and over when it is', () => {
    const { patience: one, begin, forward, lost } = patience('300000');
    const short = begin('1000');
    const over = begin('1000');
    for (const each of [one, short, over]) each.waits();
    over.end();
    forward(1000);
    assert.deepEqual([lost(), short.lost, one.lost], [1, true, false]);
    forward(299_000);
    assert.deepEqual([lost(), one.lost], [2, true]);
  });

  it('is looked after by one alarm at a time, however many come and go beside one that stays', () => {
    let time = 0;
    let looks = 0;
    const alarms = new Alarms(() => time);
    const now = () => {
      looks += 1;
      return time;
    };
    const stalls = new Stalls({ now }, { alarm: alarms.alarm, after: Number });
    const stays = stalls.patience('60000', () => {});
    const forward = (ms: number) => {
      time += ms;
      alarms.ring();
      stays.brought(ms * 1000);
      stays.waits();
    };
    const lookedInAMinute = () => {
      looks = 0;
      for (let i = 0; i < 60; i += 1) forward(1000);
      return looks;
    };
    stays.waits();
    const before = lookedInAMinute();
    for (let i = 0; i < 100; i += 1) {
      const goes = stalls.patience('10000', () => {});
      goes.waits();
      forward(1000);
      goes.end();
      for (let n = 0; n < 14; n += 1) forward(1000);
    }
    const after = lookedInAMinute();
    assert.ok(after <= before + 10, `${after} questions for the time, not ${before}`);
  });
});

describe('a blob whose bytes stop coming', () => {
  it('breaks, and its connection is let go', async () => {
    const answers: ServerResponse[] = [];
    const { upstream, clock } = await upstreamThat((_request, response) => {
      answers.push(response);
      response.writeHead(200, { 'content-length': '10' }).write('12345');
    });
    const { stream } = await upstream.blob(repository, sha256('x'), anonymous)(0, signal);
    const reading = stream[Symbol.asyncIterator]();
    assert.equal((await reading.next()).value?.length, 5);
    clock.forward(60_000);
    const next = reading.next();
    clock.forward(9999);
    const closed = new Promise((resolve) => answers[0]?.once('close', resolve));
    clock.forward(1);
    await assert.rejects(next, { status: 503 });
    await closed;
  });
});

it('an answer whose head does not come, where a blob is gone on with, is broken off too', async () => {
  const silent = Promise.withResolvers<void>();
  const { upstream, clock, events } = await upstreamThat(({ headers }, response) => {
    if (headers.range === undefined) response.writeHead(200, { 'content-length': 4 }).end('four');
    else silent.resolve();
  });
  const source = upstream.blob(repository, sha256('four'), anonymous);
  await letGo(await source(0, signal));
  const opening = source(2, signal);
  await silent.promise;
  clock.forward(10_000);
  await assert.rejects(opening, Unreachable);
  assert.ok(events.some(({ kind }) => kind === 'aside'));
});
