// Where the next connection begins: what the plan is in the cases that matter, and what it never is.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Intervals } from '../../../src/core/mirror/intervals.ts';
import { type Lane, type Situation, type Want, helps, nextMove } from '../../../src/core/mirror/lanes.ts';

const MB = 1_000_000;
const MiB = 1024 * 1024;
/** Bytes a millisecond. */
const slow = 3000;

function situation(change: Partial<Situation> = {}): Situation {
  return { size: 100 * MB, here: new Intervals(), lanes: [], wants: [], most: 4, companyHelps: true, ...change };
}

function having(...pieces: (readonly [number, number])[]): Intervals {
  const here = new Intervals();
  for (const [start, end] of pieces) here.add(start, end);
  return here;
}

const lane = (at: number, stop: number, rate?: number): Lane => ({ at, stop, rate });

describe('the first lane', () => {
  it('goes from the start to the end', () => {
    assert.deepEqual(nextMove(situation()), { kind: 'start', from: 0, to: 100 * MB, why: 'rest' });
  });

  it('begins where a reader wants to, and brings a little more than he asked for', () => {
    const wants = [{ at: 40 * MB, end: 40 * MB + 1000 }];
    const move = { kind: 'start', from: 40 * MB, to: 40 * MB + 1000 + MiB, why: 'wanted' };
    assert.deepEqual(nextMove(situation({ wants })), move);
  });

  it('is the only one, from the start, of a blob whose size nobody knows', () => {
    const alone = situation({ size: undefined, wants: [{ at: 5 * MB, end: Infinity }] });
    assert.deepEqual(nextMove(alone), { kind: 'start', from: 0, to: Infinity, why: 'rest' });
    assert.equal(nextMove({ ...alone, lanes: [lane(0, Infinity, 1)] }), undefined);
  });

  it('stops where something is here already, and the next goes on behind that', () => {
    const here = having([10 * MB, 20 * MB]);
    assert.deepEqual(nextMove(situation({ here })), { kind: 'start', from: 0, to: 10 * MB, why: 'rest' });
    here.add(0, 10 * MB);
    assert.deepEqual(nextMove(situation({ here })), { kind: 'start', from: 20 * MB, to: 100 * MB, why: 'rest' });
  });
});

describe('a reader who waits', () => {
  const wants = [{ at: 50 * MB, end: 100 * MB }];

  it('gets a lane if he is far ahead of every other, whose way then ends there', () => {
    const lanes = [lane(MB, 100 * MB, slow)];
    assert.deepEqual(nextMove(situation({ lanes, wants })), {
      kind: 'start',
      from: 50 * MB,
      to: 100 * MB,
      why: 'wanted',
    });
  });

  it('gets none if a lane will be there within a second', () => {
    assert.equal(nextMove(situation({ lanes: [lane(0, 100 * MB, 50_000)], wants })), undefined);
    assert.equal(nextMove(situation({ lanes: [lane(50 * MB - MiB, 100 * MB)], wants })), undefined);
    assert.notEqual(nextMove(situation({ lanes: [lane(50 * MB - MiB - 1, 100 * MB)], wants })), undefined);
  });

  it('gets the place of a lane that nobody waits for, if all places are taken', () => {
    const [front, second, third, last] = [
      lane(0, 20 * MB, slow),
      lane(20 * MB, 30 * MB, slow),
      lane(30 * MB, 40 * MB, slow),
      lane(40 * MB, 45 * MB, slow),
    ] as const;
    const lanes = [front, second, third, last];
    const reading = [
      { at: 0, end: 100 * MB },
      { at: 40 * MB, end: 45 * MB },
    ];
    assert.deepEqual(nextMove(situation({ lanes, wants: [...reading, ...wants] })), { kind: 'end', lane: third });
    const all = lanes.map(({ at, stop }) => ({ at, end: stop }));
    assert.equal(nextMove(situation({ lanes, wants: [...all, ...wants] })), undefined, 'all are waited for');
  });
});

describe('a slow lane', () => {
  it('gets company at once, with equal shares of what is left', () => {
    const lanes = [lane(4 * MB, 100 * MB, slow)];
    const starts: number[] = [];
    const now = () => nextMove(situation({ lanes, here: having([0, 4 * MB]) }));
    for (let move = now(); move?.kind === 'start'; move = now()) {
      apply(lanes, move.from, move.to);
      starts.push(move.from / MB);
    }
    assert.deepEqual(starts, [28, 52, 76]);
  });

  it('gets none as long as nobody knows how slow it is, if all are fast, if little is left, or if that does not help', () => {
    const none = (change: Partial<Situation>) => assert.equal(nextMove(situation(change)), undefined);
    none({ lanes: [lane(MB, 100 * MB)] });
    none({ lanes: [lane(MB, 100 * MB, 60_000)] });
    none({ lanes: [lane(92 * MB, 100 * MB, slow)], here: having([0, 92 * MB]) });
    none({ lanes: [lane(MB, 100 * MB, slow)], companyHelps: false });
    none({ lanes: [lane(MB, 100 * MB, slow)], most: 1 });
  });

  it('gets company in turn when it is left behind', () => {
    const lanes = [lane(10 * MB, 60 * MB, 1), lane(70 * MB, 71 * MB, slow)];
    const move = nextMove(situation({ lanes, here: having([0, 10 * MB], [60 * MB, 70 * MB], [71 * MB, 100 * MB]) }));
    assert.ok(move?.kind === 'start' && move.from > 10 * MB && move.from < 60 * MB);
  });

  it('is sent ahead 64 MiB at the most, so that who reads in order does not wait for the end', () => {
    const size = 10_000 * MB;
    const move = nextMove(situation({ size, lanes: [lane(0, size, slow)] }));
    assert.deepEqual(move, { kind: 'start', from: 64 * MiB, to: 128 * MiB, why: 'slow' });
  });

  it('has been helped if all together are a quarter faster than it was', () => {
    assert.equal(helps([lane(0, 1, 1000), lane(1, 2, 1000)], 1600), true);
    assert.equal(helps([lane(0, 1, 1000), lane(1, 2, 1000)], 1601), false);
    assert.equal(helps([lane(0, 1, 1000), lane(1, 2)], 100), undefined);
    assert.equal(helps([lane(0, 1, 1000)], 100), undefined);
  });
});

/** Begins a lane, as whoever carries out a plan has to. */
function apply(lanes: Lane[], from: number, to: number): void {
  for (const [index, { at, stop, rate }] of lanes.entries()) {
    if (at <= from && from < stop) lanes[index] = lane(at, from, rate);
  }
  lanes.push(lane(from, to));
}

const rate = fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined });
const event = fc.oneof(
  fc.record({
    kind: fc.constant('arrive' as const),
    lane: fc.nat(15),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    rate,
  }),
  fc.record({ kind: fc.constant('lose' as const), lane: fc.nat(15) }),
  fc.record({ kind: fc.constant('want' as const), at: fc.nat(999), length: fc.integer({ min: 1, max: 1000 }) }),
);

describe('a plan, whatever happens', () => {
  it('never gives a byte to two lanes nor fetches what is here, keeps to the limit, and comes to an end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 * MB }),
        fc.integer({ min: 1, max: 16 }),
        fc.boolean(),
        fc.array(event, { maxLength: 60 }),
        (size, most, companyHelps, events) => {
          const here = new Intervals();
          let lanes: Lane[] = [];
          let wants: Want[] = [];
          let fetched = 0;
          const advance = (index: number, part: number, measured: number | undefined) => {
            const moving = lanes[index]!;
            const bytes = Math.ceil((moving.stop - moving.at) * part);
            here.add(moving.at, moving.at + bytes);
            fetched += bytes;
            lanes[index] = lane(moving.at + bytes, moving.stop, measured);
            lanes = lanes.filter(({ at, stop }) => at < stop);
          };
          const settle = () => {
            for (let moves = 0; ; moves += 1) {
              assert.ok(moves < 100, 'it makes up its mind');
              const move = nextMove({ size, here, lanes, wants, most, companyHelps });
              if (move === undefined) break;
              if (move.kind === 'end') {
                assert.equal(lanes.length, most);
                lanes = lanes.filter((each) => each !== move.lane);
              } else {
                assert.ok(lanes.length < most);
                assert.ok(0 <= move.from && move.from < move.to && move.to <= size);
                assert.ok((here.gapAt(move.from, size)?.start ?? -1) === move.from, 'it begins with what is missing');
                assert.ok(here.gapAt(move.from, move.to)!.end === move.to, 'it stops at what is here');
                apply(lanes, move.from, move.to);
              }
              const ways = lanes.toSorted((one, other) => one.at - other.at);
              for (const [index, { at }] of ways.entries()) {
                assert.ok(index === 0 || ways[index - 1]!.stop <= at, 'no two have the same before them');
              }
            }
          };
          settle();
          for (const each of events) {
            if (each.kind === 'want') {
              const at = Math.floor((each.at * size) / 1000);
              wants = [...wants.slice(-5), { at, end: Math.min(size, at + each.length * 1000) }];
            } else if (lanes.length > 0) {
              const index = each.lane % lanes.length;
              if (each.kind === 'arrive') advance(index, each.part, each.rate);
              else lanes = lanes.filter((_, other) => other !== index);
            }
            settle();
          }
          for (let turns = 0; here.total < size; turns += 1) {
            assert.ok(turns < 1000, 'it comes to an end');
            assert.ok(lanes.length > 0, 'somebody brings the rest');
            advance(turns % lanes.length, 1, 1000);
            settle();
          }
          assert.equal(fetched, size, 'nothing comes twice');
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});
