// What is told of trouble, and when.
import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { toldOnce } from '../../../src/node/store/troubles.ts';
import { digestOf } from '../../conformance/blob-store.ts';
import { StillClock } from './opening.ts';

const minute = 60_000;
let events: string[];
let clock: StillClock;
let report: (event: MirrorEvent) => void;

beforeEach(() => {
  events = [];
  clock = new StillClock();
  report = toldOnce((event) => {
    if (event.kind === 'trouble') events.push(`${event.known === true ? 'known: ' : ''}${event.doing} ×${event.times}`);
    else if (event.kind === 'recovered') events.push(`${event.where} works`);
  }, clock);
});

const withCode = (code: string) => Object.assign(new Error('some text'), { code });
const fail = (doing = 'write', error: unknown = withCode('ENOSPC'), where: 'store' | 'book' = 'store') =>
  report({ kind: 'trouble', where, doing, error });
const stored = () => report({ kind: 'stored', digest: digestOf(Buffer.of()), size: 0, kept: 0, ms: 0 });
const hit = () =>
  report({
    kind: 'served',
    method: 'GET',
    path: '/',
    what: 'blob',
    registry: undefined,
    status: 200,
    outcome: 'hit',
    bytes: 0,
    poured: 0,
    ms: 0,
    address: '',
    tls: 'TLSv1.2',
    whole: true,
  });

it('is told at once, then every ten minutes with how often, and when it is over', () => {
  for (let second = 0; second < 11 * 60; second += 1) {
    fail();
    clock.time += 1000;
  }
  stored();
  stored();
  assert.deepEqual(events, ['write ×1', 'write ×600', 'store works']);
});

it('is another one with another code, whatever the message', () => {
  fail('write', withCode('EROFS'));
  fail('write', Object.assign(withCode('EROFS'), { message: 'another' }));
  fail('write', withCode('EIO'));
  fail('write', Object.assign(new Error(), { code: 'ERR_SQLITE_ERROR', errcode: 11 }));
  fail('write', Object.assign(new Error(), { code: 'ERR_SQLITE_ERROR', errcode: 13 }));
  assert.equal(events.length, 4);
});

it('is not told with every pull when it comes and goes with every pull', () => {
  for (let second = 0; second < 10 * 60; second += 1) {
    fail();
    stored();
    clock.time += 1000;
  }
  assert.ok(events.length <= 2 * 11, `${events.length} events in ten minutes`);
});

it('is told at once again after a minute without', () => {
  fail();
  stored();
  clock.time += minute;
  fail();
  assert.deepEqual(events, ['write ×1', 'store works', 'write ×1']);
});

it('of reading is over with the next hit, trouble of writing is not', () => {
  fail('opening a blob');
  hit();
  fail('write');
  hit();
  assert.deepEqual(events, ['opening a blob ×1', 'store works', 'write ×1']);
});

it('with one fault of the disk is one, whoever meets it and whatever he does', () => {
  fail('making a file');
  fail('writing a blob');
  fail('link', Object.assign(new Error(), { code: 'ERR_SQLITE_ERROR', errcode: 13 }), 'book');
  fail('writing a blob', withCode('EIO'));
  clock.time += 11 * minute;
  fail('writing a blob');
  fail('link', Object.assign(new Error(), { code: 'ERR_SQLITE_ERROR', errcode: 13 }), 'book');
  assert.deepEqual(events, [
    'making a file ×1',
    'known: link ×1',
    'writing a blob ×1',
    'writing a blob ×2',
    'known: link ×1',
  ]);
  stored();
  fail('link', Object.assign(new Error(), { code: 'ERR_SQLITE_ERROR', errcode: 13 }), 'book');
  clock.time += 11 * minute;
  fail('link', Object.assign(new Error(), { code: 'ERR_SQLITE_ERROR', errcode: 13 }), 'book');
  assert.deepEqual(events.slice(5), ['store works', 'link ×2'], 'now it is the book alone');
});

it('of the book is over when the book says so', () => {
  fail('link', withCode('x'), 'book');
  stored();
  assert.deepEqual(events, ['link ×1']);
  report({ kind: 'recovered', where: 'book' });
  report({ kind: 'recovered', where: 'book' });
  assert.deepEqual(events, ['link ×1', 'book works']);
});

it('is told when the clock was set back, however far', () => {
  fail();
  clock.time -= 365 * 24 * 60 * minute;
  fail();
  fail();
  assert.deepEqual(events, ['write ×1', 'write ×1']);
});
