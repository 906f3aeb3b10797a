// What an upstream's endpoint does for a while: serve well, be down, break off, lie, or hold back.
import { numbers } from '../fakes/registry/bytes.ts';
import type { Bend } from '../fakes/registry/bent.ts';
import { Gate } from '../fakes/registry/gate.ts';
import { answer } from '../fakes/registry/levers.ts';
import type { FakeRegistry } from '../fakes/registry/registry.ts';

/** `passing`: whoever has another endpoint does not notice. `grave`: what one endpoint says may end a pull. */
export const weathers = {
  well: 'passing',
  down: 'passing',
  reset: 'passing',
  truncated: 'passing',
  slow: 'passing',
  unavailable: 'passing',
  limited: 'passing',
  'ranges ignored': 'passing',
  'ranges answered wrongly': 'passing',
  lying: 'grave',
  'other size': 'grave',
  'without a length': 'grave',
  denied: 'grave',
  gone: 'grave',
} as const;
export type Weather = keyof typeof weathers;

/** An endpoint and what it does now. */
export class Shore {
  readonly registry: FakeRegistry;
  readonly #random: () => number;
  #gate = new Gate();
  weather: Weather = 'well';

  constructor(registry: FakeRegistry, seed: number) {
    this.registry = registry;
    this.#random = numbers(seed);
  }

  async turn(weather: Weather): Promise<void> {
    const { levers } = this.registry;
    this.release();
    if (this.weather === 'down') await this.registry.up();
    this.weather = weather;
    levers.answers = [];
    levers.bend = undefined;
    if (weather === 'down') await this.registry.down();
    else if (weather === 'unavailable') levers.answers = [answer.unavailable(/^/)];
    else if (weather === 'limited') levers.answers = [answer.tooMany(/^/, '3')];
    else if (weather === 'denied') levers.answers = [answer.denied(/\/blobs\//)];
    else if (weather === 'gone') levers.answers = [answer.missing(/\/blobs\//)];
    else if (weather !== 'well') {
      levers.bend = (_asked, digest) => this.#bend(weather, this.registry.blob(digest)?.bytes.size ?? 0);
    }
  }

  /** Whoever is held back goes on. */
  release(): void {
    this.#gate.open();
    this.#gate = new Gate();
  }

  #bend(weather: Weather, size: number): Bend {
    const at = this.#random() % size;
    switch (weather) {
      case 'well':
      case 'down':
      case 'unavailable':
      case 'limited':
      case 'denied':
      case 'gone':
        return {};
      case 'reset':
        return { breaks: { at, how: 'reset' } };
      case 'truncated':
        return { breaks: { at, how: 'cut' } };
      case 'without a length':
        return { breaks: { at, how: 'end' }, length: false };
      case 'lying':
        return { flip: at };
      case 'other size':
        return { claims: this.#random() % (2 * size) };
      case 'slow':
        return { hold: { at, gate: this.#gate } };
      case 'ranges ignored':
        return { range: 'ignored' };
      case 'ranges answered wrongly':
        return { range: 'other' };
    }
  }
}
