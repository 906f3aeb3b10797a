// How many tunnels each client has, so that none takes all that there are.
import { clientOf } from '../../core/access/address.ts';

export class Tallies {
  readonly #counts = new Map<string, number>();

  /** False if this client has as many as it may. Whoever was let in leaves, once. */
  enter(address: string, most: number): boolean {
    const client = clientOf(address);
    const count = this.#counts.get(client) ?? 0;
    if (count >= most) return false;
    this.#counts.set(client, count + 1);
    return true;
  }

  leave(address: string): void {
    const client = clientOf(address);
    const count = this.#counts.get(client) ?? 0;
    if (count > 1) this.#counts.set(client, count - 1);
    else this.#counts.delete(client);
  }

  get total(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }
}
