// CDN hosts that nobody wrote down: where registries have lately sent the mirror, for the clients that it was asked for.
import type { Outcome, Report } from '../../core/mirror/events.ts';
import { Bounded } from '../../core/oci/bounded.ts';
import type { Belonging } from '../../core/upstream/hosts.ts';
import { shared } from './shared.ts';

const goodFor = 15 * 60_000;
/** Pairs of an address and a host. */
const most = 10_000;
const mostRecent = 64;
/** Nothing was fetched for these. */
const held: ReadonlySet<Outcome> = new Set(['hit', 'private-hit', 'stale', 'none']);

interface Lesson {
  readonly registry: string;
  readonly until: number;
}

/** Host -> until when it counts as a place of that registry. */
type Recent = Bounded<{ readonly host: string; readonly until: number }>;

export class Learned {
  readonly #now: () => number;
  readonly #isConfigured: (registry: string) => boolean;
  readonly #lessons = new Bounded<Lesson>(most);
  /** By registry: where its endpoints have sent the mirror, whoever it was for. */
  readonly #recent = new Bounded<Recent>(mostRecent);

  /** `isConfigured`: whether there is such a registry just now. */
  constructor(now: () => number, isConfigured: (registry: string) => boolean) {
    this.#now = now;
    this.#isConfigured = isConfigured;
  }

  /**
   * The mirror does not know for whom it follows a redirect: a download may have many clients, or none yet. So who has just been
   * given something of a registry that was not here, may go where that registry has lately sent us.
   */
  readonly report: Report = (event) => {
    if (event.kind === 'redirected') this.#sent(event.registry, event.host);
    if (event.kind !== 'served' || event.registry === undefined || event.status >= 400) return;
    if (held.has(event.outcome)) return;
    for (const { host, until } of this.#recent.get(event.registry)?.values() ?? []) {
      this.#learn(event.address, host, { registry: event.registry, until });
    }
  };

  /** A configured endpoint of the registry sent this client to https at that host. */
  note(address: string, host: string, registry: string): void {
    this.#learn(address, host, { registry, until: this.#now() + goodFor });
  }

  /** Whose place it is, for this client alone. */
  find(host: string, address: string): Belonging | undefined {
    const lesson = this.#lessons.get(keyOf(address, host));
    if (lesson === undefined || lesson.until <= this.#now() || !this.#isConfigured(lesson.registry)) return undefined;
    return { registry: lesson.registry, isRegistry: false };
  }

  #learn(address: string, host: string, lesson: Lesson): void {
    const key = keyOf(address, host);
    const before = this.#lessons.get(key)?.until ?? this.#now();
    if (lesson.until > before && !shared(host)) this.#lessons.set(key, lesson);
  }

  #sent(registry: string, host: string): void {
    const hosts = this.#recent.getOr(registry, () => new Bounded(mostRecent));
    hosts.set(host, { host, until: this.#now() + goodFor });
  }
}

function keyOf(address: string, host: string): string {
  return `${address} ${host}`;
}
