// What isolates tell each other: entries of their books, in the cache of their data centre.
import type { Entry, Far } from '../core/mirror/shared-book.ts';
import { type EdgeCache, kept } from './edge-cache.ts';

export function edgeBook(cache: EdgeCache): Far {
  return {
    read: (key) => cache.record(addressOf(key)),
    write(key, entry, correct) {
      const address = addressOf(key);
      const make = async () => {
        const corrected = correct();
        return corrected && written(corrected);
      };
      cache.put(address, () => written(entry), { key: address, make });
    },
    withdraw: (key, entry) => cache.withdraw(addressOf(key), written(entry)),
  };
}

function addressOf(key: string): string {
  return `book/${encodeURIComponent(key)}`;
}

function written(entry: Entry<unknown>): Response {
  return kept(JSON.stringify(entry));
}
