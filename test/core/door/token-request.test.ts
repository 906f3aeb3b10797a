// Scopes as clients send them, in the words of the registry that they mean.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createSecret } from '../../../src/core/access/secret.ts';
import { parseTokenRequest } from '../../../src/core/door/token-request.ts';
import { Registries } from '../../../src/core/upstream/registries.ts';

fc.configureGlobal({ seed: 20_261_120 });

const entry = { aliases: [], endpoints: [], mirrors: [], realms: [], redirects: [], cdns: [] };
const registries = new Registries(
  [
    { ...entry, name: 'docker.io', aliases: ['index.docker.io'] },
    { ...entry, name: 'ghcr.io' },
    { ...entry, name: 'localhost:5000' },
  ],
  { 'ghcr.example': 'ghcr.io' },
);

function parse(query: string, more: { host?: string; authorization?: string; post?: boolean } = {}) {
  const { host = 'hub.example', authorization, post = false } = more;
  return parseTokenRequest({ parameters: new URLSearchParams(query), post, host, authorization }, registries);
}

const scope = (text: string) => `scope=${encodeURIComponent(text)}`;

describe('the registry that a token is for', () => {
  for (const [what, query, host, registry, scopes] of [
    [
      'what the scope names, as podman sends it',
      scope('repository:docker.io/library/alpine:pull'),
      undefined,
      'docker.io',
      ['repository:library/alpine:pull'],
    ],
    [
      'its alias',
      scope('repository:index.docker.io/alpine:pull'),
      undefined,
      'docker.io',
      ['repository:library/alpine:pull'],
    ],
    [
      'a host with a port',
      scope('repository:localhost:5000/a/b:pull'),
      undefined,
      'localhost:5000',
      ['repository:a/b:pull'],
    ],
    [
      'the service, as it stood in our challenge',
      `service=ghcr.io&${scope('repository:a/b:pull')}`,
      undefined,
      'ghcr.io',
      ['repository:a/b:pull'],
    ],
    [
      'the one that the host stands for',
      scope('repository:a/b:pull'),
      'ghcr.example:443',
      'ghcr.io',
      ['repository:a/b:pull'],
    ],
    [
      'Docker Hub where nothing says otherwise',
      scope('repository:alpine:pull'),
      undefined,
      'docker.io',
      ['repository:library/alpine:pull'],
    ],
    ['the usual one for a service that is none of ours', 'service=registry.docker.io', undefined, 'docker.io', []],
  ] as const) {
    test(`is ${what}`, () => {
      const found = parse(query, host === undefined ? {} : { host });
      assert.deepEqual([found.registry, found.scopes], [registry, scopes]);
    });
  }

  test('is the first scope’s; those of others are not asked for', () => {
    const { registry, scopes } = parse(
      `${scope('repository:ghcr.io/a/b:pull')}&${scope('repository:docker.io/c/d:pull')}`,
    );
    assert.deepEqual([registry, scopes], ['ghcr.io', ['repository:a/b:pull']]);
  });

  test('decides whether a login was meant for it: clients keep one for each host', () => {
    for (const [query, meant] of [
      [scope('repository:a/b:pull'), true],
      [scope('repository:docker.io/a/b:pull'), true],
      [`service=ghcr.io&${scope('repository:a/b:pull')}`, true],
      [scope('repository:ghcr.io/a/b:pull'), false],
      [`service=docker.io&${scope('repository:ghcr.io/a/b:pull')}`, false],
    ] as const) {
      assert.equal(parse(query).meant, meant, query);
    }
  });
});

describe('what is asked of the registry', () => {
  test('are all scopes for pulls, once each', () => {
    const asked = [
      'repository:a/b:pull',
      'repository:a/b:pull,push',
      'repository:c/d:*',
      'repository(plugin):e/f:pull',
    ];
    const { scopes } = parse(asked.map(scope).join('&'));
    assert.deepEqual(scopes, ['repository:a/b:pull', 'repository:c/d:pull', 'repository:e/f:pull']);
    const fields = `grant_type=refresh_token&refresh_token=r&${scope(asked.join(' '))}`;
    assert.deepEqual(parse(fields, { post: true }).scopes, scopes);
  });

  test('is nothing but pulls of repositories', () => {
    for (const refused of [
      'registry:catalog:*',
      'repository:a/b:push',
      'repository:a/b:delete',
      'repository:a/b',
      'x',
      '',
      ':::',
    ]) {
      assert.deepEqual(parse(scope(refused)).scopes, [], refused);
    }
  });

  test('keeps what the token service wants to know of the client, and nothing else', () => {
    const { parameters } = parse('account=me&client_id=docker&offline_token=true&redirect_uri=x&service=docker.io');
    assert.deepEqual(parameters, [
      ['account', 'me'],
      ['client_id', 'docker'],
      ['offline_token', 'true'],
    ]);
    const form = 'grant_type=password&username=u&password=p&client_id=c&access_type=offline&account=x';
    const found = parse(form, { post: true });
    assert.deepEqual(found.parameters, [
      ['client_id', 'c'],
      ['access_type', 'offline'],
    ]);
    assert.ok(found.login?.kind === 'form' && found.login.fields.length === 3);
  });

  test('never has a secret of ours in it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const secret = createSecret(bytes);
        const { scopes } = parse(scope(`repository:${secret}/library/nginx:pull`));
        assert.deepEqual(scopes, ['repository:library/nginx:pull']);
      }),
    );
  });

  test('is well-formed whatever comes, or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 4 }), (texts) => {
        try {
          for (const mapped of parse(texts.map((text) => scope(`repository:${text}:pull`)).join('&')).scopes) {
            assert.match(mapped, /^repository:[a-z0-9._/-]+:pull$/);
          }
        } catch (error) {
          assert.ok(['NAME_INVALID', 'NAME_UNKNOWN'].includes((error as { code: string }).code));
        }
      }),
    );
  });
});

describe('a login', () => {
  test('that is empty is none', () => {
    assert.equal(parse('', { authorization: 'Basic Og==' }).login, undefined);
    assert.equal(parse('grant_type=password&username=&password=', { post: true }).login, undefined);
    assert.equal(parse('', { authorization: 'Bearer x' }).login, undefined);
  });

  test('in a form that no client sends is refused', () => {
    for (const form of ['', 'grant_type=authorization_code&code=x', 'grant_type=refresh_token']) {
      assert.throws(() => parse(form, { post: true }), { status: 400 });
    }
  });
});
