// A second origin that a fake registry's blobs are redirected to. It knows no tokens and takes none.
import type { ServerResponse } from 'node:http';
import { noBlobLevers } from './levers.ts';
import { type Asked, canned, Listener, send } from './listener.ts';
import type { FakeRegistry } from './registry.ts';
import { sendBlob } from './send-blob.ts';

/** Serves the registry's blobs at `/<digest>`. Whoever sends it an Authorization header gets 400, as from S3. */
export class FakeCdn extends Listener {
  readonly levers = noBlobLevers();
  readonly #registry: FakeRegistry;

  constructor(registry: FakeRegistry) {
    super();
    this.#registry = registry;
  }

  protected override async handle(asked: Asked, response: ServerResponse): Promise<void> {
    if (await canned(this.levers.answers, asked, response)) return;
    const blob = this.#registry.blob(asked.path.slice(1));
    if (asked.headers.authorization !== undefined) send(asked, response, 400);
    else if (blob === undefined) send(asked, response, 404);
    else await sendBlob(asked, response, blob, this.levers, {});
  }
}

export async function startCdn(registry: FakeRegistry): Promise<FakeCdn> {
  const cdn = new FakeCdn(registry);
  await cdn.up();
  return cdn;
}
