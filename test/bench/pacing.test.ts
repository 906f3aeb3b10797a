// The link of the bench does what it says: rates, turns, delay, counts and resets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bucket, type Sender, share } from '../../bench/link/pacing.ts';
import { ByteQueue, DelayLine } from '../../bench/link/queues.ts';

class Sending implements Sender {
  readonly own: Bucket;
  waiting: number;
  sent = 0;

  constructor(waiting: number, rate?: number) {
    this.own = new Bucket(rate, 0);
    this.waiting = waiting;
  }

  send(bytes: number): void {
    this.waiting -= bytes;
    this.sent += bytes;
  }
}

/** A turn each millisecond. */
function run(senders: readonly Sending[], all: number | undefined, milliseconds: number): void {
  const turns = new Set<Sender>(senders);
  const bucket = new Bucket(all, 0);
  for (let now = 1; now <= milliseconds; now++) share(turns, bucket, now);
}

test('three who have enough to send share the link evenly, and fill it', () => {
  const senders = [new Sending(1e9), new Sending(1e9), new Sending(1e9)];
  run(senders, 12e6, 1000);
  for (const { sent } of senders) assert.ok(Math.abs(sent - 4e6) <= 16 * 1024, `${sent}`);
  assert.equal(
    senders.reduce((sum, { sent }) => sum + sent, 0),
    12e6,
  );
});

test('nobody sends more than his connection allows, though the link would', () => {
  const senders = [new Sending(1e9, 3e6), new Sending(1e9, 3e6)];
  run(senders, 12e6, 1000);
  assert.deepEqual(
    senders.map(({ sent }) => sent),
    [3e6, 3e6],
  );
});

test('without rates all goes at once', () => {
  const sender = new Sending(1e9);
  run([sender], undefined, 1);
  assert.equal(sender.waiting, 0);
});

test('who was silent may not catch up on more than a moment', () => {
  const bucket = new Bucket(1e6, 0);
  assert.equal(bucket.available(10_000), 20_000);
});

test('a queue gives bytes back in order, whatever the pieces', () => {
  const queue = new ByteQueue();
  for (const text of ['abc', 'd', 'efgh']) queue.push(Buffer.from(text));
  const taken = [2, 3, 100].map((bytes) => Buffer.concat(queue.take(bytes)).toString());
  assert.deepEqual(taken, ['ab', 'cde', 'fgh']);
  assert.equal(queue.size, 0);
});

test('a delay line lets nothing out before its time', () => {
  const line = new DelayLine(10);
  const seen: string[] = [];
  line.push(0, () => seen.push('first'));
  line.push(5, () => seen.push('second'));
  line.run(9);
  assert.deepEqual(seen, []);
  line.run(10);
  assert.deepEqual(seen, ['first']);
  line.run(15);
  assert.deepEqual(seen, ['first', 'second']);
  assert.ok(line.empty);
});
