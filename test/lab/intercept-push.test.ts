// Through an intercepting proxy people log in, push, and pull what is theirs alone, as if it were not there.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Login, type Outward, type OutwardClient, outwardClients } from './clients/outward.ts';
import { type Intercepted, startIntercepted } from './intercepted.ts';
import { parts } from './lab.ts';
import { need } from './need.ts';

const owner: Login = { user: 'owner', password: 'swordfish' };

describe('through an intercepting proxy', { skip: need(...parts) }, () => {
  let at: Intercepted;

  before(async () => {
    at = await startIntercepted();
  });
  after(() => at?.close());

  async function using<T>(client: OutwardClient, login: Login | undefined, with_: (its: Outward) => Promise<T>) {
    return client.use(at.way, login, await at.directory(), with_);
  }

  for (const client of outwardClients) {
    const skip = need(...client.needs);

    test(`${client.name} pushes, and the next pull of that tag is what it pushed`, { skip }, () =>
      using(client, owner, async ({ pull, push, remove }) => {
        const to = `team/${client.name}:1`;
        const seen: string[] = [];
        for (const from of ['library/docker:latest', 'library/umoci:docker']) {
          await pull(from);
          await push(from, to);
          await remove(to);
          // By somebody without a login.
          const digests = await using(client, undefined, (another) => another.pull(to));
          assert.ok(digests.length > 0 && digests.every((digest) => !seen.includes(digest)));
          seen.push(...digests);
        }
        assert.match(at.sampan.output, new RegExp(`GET /v2/team/${client.name}/blobs/[^ ]+ 200 (miss|hit|collapsed)`));
      }),
    );

    test(`${client.name} gets what is private by its login, and nobody else does then`, { skip }, async () => {
      const image = 'private/app:latest';
      await using(client, owner, async ({ pull }) => {
        assert.ok((await pull(image)).includes(at.lab.digests.docker));
      });
      await using(client, undefined, ({ pull }) => assert.rejects(pull(image)));
    });
  }

  test('nothing of what is private was kept, or came from here', () => {
    const served = at.sampan.output.split('\n').filter((line) => / \/v2\/private\/\S+ \d/.test(line));
    assert.ok(served.length > 0);
    for (const line of served) assert.match(line, / (200|307|401|403|404) pass, /);
  });
});
