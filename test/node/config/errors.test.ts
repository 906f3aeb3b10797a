// What is said about a configuration that is wrong: where, which key, what was found, what was expected; all at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../src/node/config/config.ts';
import { ConfigError } from '../../../src/config/problem.ts';
import { complaints, complaintsOf, read } from './reading.ts';

test('every error is told at once, with its line, key, what was found and what was expected', async (t) => {
  const yaml = `listen: 5050
storage:
  limit: fifty
registries:
  docker.io:
    mirrors: [https://a.example, ftp://b.example]
    fresh_for: 60
  Foo: {}
log: { level: loud }
catalogue: yes
`;
  assert.deepEqual(await complaints(t, yaml, { environment: { SAMPAN_STOP_WITHIN: '2h' }, flags: { data: '' } }), [
    'sampan.yaml:1: listen: found 5050, expected host:port, such as 127.0.0.1:5050 or "[::1]:5050"',
    '--data: data: found "", expected the path of a directory',
    'sampan.yaml:3: storage.limit: found "fifty", expected at least 1MB, as a number of bytes or with a unit, such as 50GB or 50GiB',
    'sampan.yaml:6: registries.docker.io.mirrors[1]: found "ftp://b.example", expected an http or https URL without user, query or fragment, such as https://registry.example.com',
    'sampan.yaml:7: registries.docker.io.fresh_for: found 60, expected a number with a unit (ms, s, m, h, d), such as 1m or 24h',
    'sampan.yaml:8: registries.Foo: found the name "Foo", expected a host in lower case as in image names: registry.example.com, localhost:5000 or *.example.com',
    'sampan.yaml:10: catalogue: found "yes", expected true or false',
    'sampan.yaml:9: log.level: found "loud", expected one of error, warn, info, debug',
    'SAMPAN_STOP_WITHIN: stop_within: found "2h", expected a duration of at most 1h, such as 30s',
  ]);
});

test('the message of the error is what somebody reads', async (t) => {
  await assert.rejects(read(t, 'listen: x\n'), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(
      error.message,
      'the configuration has an error\n  sampan.yaml:1: listen: found "x", expected host:port, such as 127.0.0.1:5050 or "[::1]:5050"',
    );
    return true;
  });
});

const wrong: readonly (readonly [yaml: string, complaint: RegExp])[] = [
  // Unknown keys, at every level.
  ['storrage: {}', /^sampan.yaml:1: storrage: found an unknown key; did you mean storage\?$/],
  ['tunnel: {}', /^sampan.yaml:1: tunnel: found an unknown key; expected one of listen, data, storage, /],
  ['storage: { limits: 1 }', /storage.limits: found an unknown key; did you mean limit\?/],
  ['registries: { a.b: { endpoint: [] } }', /registries.a.b.endpoint: found an unknown key; did you mean endpoints\?/],
  [
    'registries: { a.b: { password: x } }',
    /registries.a.b.password: found an unknown key; expected one of endpoints, /,
  ],
  ['access: { networks: [::1], network: 1 }', /access.network: found an unknown key; did you mean networks\?/],
  ['__proto__: 1', /__proto__: found an unknown key/],
  // Things of the wrong kind.
  ['- a', /^sampan.yaml:1: found a list, expected a map with the keys listen, /],
  ['listen', /^sampan.yaml:1: found something else, expected a map/],
  ['storage: 50GB', /storage: found "50GB", expected a map with the keys limit/],
  ['registries: [docker.io]', /registries: found a list, expected a map of registries by name/],
  ['registries: { a.b: 1 }', /registries.a.b: found something else, expected a map with the keys endpoints, /],
  ['registries: { a.b: { endpoints: https://a.b } }', /endpoints: found "https:\/\/a.b", expected a list of URLs/],
  ['registries: { a.b: { endpoints: [] } }', /endpoints: found an empty list, expected at least one URL/],
  ['access: opn', /access: found "opn", expected open, login, or a map with the key networks/],
  ['access:', /access.networks: found nothing, expected a list of IP networks/],
  ['access: { networks: [] }', /access.networks: found an empty list, expected at least one IP network/],
  ['access: { networks: [10.0.0.0/33] }', /access.networks\[0\]: found "10.0.0.0\/33", expected an IP network/],
  // Values.
  ['registries: { a.b: { lanes: 0 } }', /registries.a.b.lanes: found 0, expected a whole number from 1 to 16/],
  ['registries: { a.b: { stall_after: 0s } }', /stall_after: found "0s", expected a duration from 1s to 5m/],
  ['registries: { a.b: { stall_after: 6m } }', /stall_after: found "6m",/],
  ['registries: { a.b: { lanes: 17 } }', /lanes: found 17,/],
  ['registries: { a.b: { lanes: 1.5 } }', /lanes: found 1.5,/],
  ['proxy: { listen: 8384 }', /proxy.listen: found 8384, expected host:port/],
  ['proxy: { allow: [Example.com] }', /proxy.allow\[0\]: found "Example.com", expected a host in lower case without/],
  ['proxy: { allow: ["*.com"] }', /proxy.allow\[0\]: found "\*.com",/],
  ['proxy: { allow: [10.0.0.1] }', /proxy.allow\[0\]: found "10.0.0.1",/],
  ['proxy: { allow: ["a.example:443"] }', /proxy.allow\[0\]: found "a.example:443",/],
  ['proxy: { tunnels: 0 }', /proxy.tunnels: found 0, expected a whole number from 1 to 65535/],
  ['proxy: { idle: 0s }', /proxy.idle: found "0s", expected a duration of at least 1s/],
  ['proxy: { listen: "0.0.0.0:8384" }', /proxy.listen: found 0.0.0.0:8384, which other machines can reach/],
  ['registries: { a.b: { cdns: ["https://a.b"] } }', /cdns\[0\]: found "https:\/\/a.b", expected a host/],
  ['pull_ahead: on', /pull_ahead: found "on", expected off, or a whole number from 0 to 16/],
  ['pull_ahead: 17', /pull_ahead: found 17,/],
  ['listen: 127.0.0.1', /listen: found "127.0.0.1"/],
  ['listen: "::1:5050"', /listen: found "::1:5050"/],
  ['listen: 127.0.0.1:65536', /listen: found "127.0.0.1:65536"/],
  ['listen: 127.0.0.256:1', /listen: found "127.0.0.256:1"/],
  ['listen: ":5050"', /listen: found ":5050"/],
  ['admin: { listen: 0.0.0.0:1 }', /admin.listen: found "0.0.0.0:1", expected host:port on the loopback/],
  ['storage: { limit: 0 }', /storage.limit: found 0,/],
  ['storage: { limit: 50 }', /storage.limit: found 50, expected at least 1MB,/],
  ['storage: { limit: -1 }', /storage.limit: found -1,/],
  ['storage: { limit: 1.5 }', /storage.limit: found 1.5,/],
  ['storage: { limit: 50gb }', /storage.limit: found "50gb"/],
  ['storage: { scrub: 30 }', /storage.scrub: found 30, expected a duration of at least 1h,/],
  ['storage: { scrub: 1m }', /storage.scrub: found "1m",/],
  ['storage: { limit: .inf }', /storage.limit: found Infinity/],
  ['registries: { a.b: { realms: ["https://a.b/token?service=x"] } }', /realms\[0\]: found "https:\/\/a.b\/token\?…"/],
  [
    'registries: { a.b: { redirects: ["https://a.b/path"] } }',
    /redirects\[0\]: .* expected an http or https URL of scheme, host and port/,
  ],
  ['registries: { a.b: { aliases: [A] } }', /aliases\[0\]: found "A", expected a host in lower case/],
  ['resolve: { a.b: c.d:443 }', /resolve.a.b: found "c.d:443", expected ip:port/],
  ['resolve: { a.b: 1.2.3.4:0 }', /resolve.a.b: found "1.2.3.4:0", expected ip:port/],
  [
    'resolve: { "a.b:443": 1.2.3.4:1 }',
    /resolve.a.b:443: found the name "a.b:443", expected a host in lower case, without a port/,
  ],
  ['dns: http://dns.example/dns-query', /dns: found something else, expected the https URL of a resolver/],
  ['dns: 9.9.9.9', /dns: found something else, expected the https URL/],
  ...[
    'https://me:swordfish@proxy.lan:3128',
    'socks4://me:swordfish@proxy.lan:1080',
    'http://me:swordfish@proxy.lan',
    'http://me:swordfish@proxy.lan:0',
    'http://me:swordfish@@proxy.lan:3128',
    'http://me:swordfish%zz@proxy.lan:3128',
    'http://me:swordfish@proxy.lan:3128/path',
    'http://:swordfish@proxy.lan:3128',
    'http://m%3Ae:swordfish@proxy.lan:3128',
    `socks5://me:swordfish${'x'.repeat(250)}@proxy.lan:3128`,
  ].map((url) => [`via: "${url}"`, /^sampan.yaml:1: via: found something else, expected a proxy, such as /] as const),
  // Between keys.
  [
    'dns: https://dns.example/dns-query\nvia: http://proxy.lan:3128',
    /^sampan.yaml:1: dns: found a resolver beside via, whose proxy looks all names up: leave out one of them$/,
  ],
  [
    'hosts: { a.b: docker.ioo }',
    /^sampan.yaml:1: hosts.a.b: found docker.ioo, which is not configured; did you mean docker.io\?$/,
  ],
  ['hosts: { a.b: "*.pkg.dev" }', /hosts.a.b: found \*.pkg.dev, which is not configured/],
  [
    'proxy: { intercept: yes-please }',
    /proxy.intercept: found "yes-please", expected true, false, or a list of registries/,
  ],
  [
    'proxy: { intercept: [ghcr.oi] }',
    /proxy.intercept\[0\]: found ghcr.oi, which is not configured; did you mean ghcr.io\?/,
  ],
  [
    'proxy: { intercept: ["a.b:5000"] }\nregistries: { "a.b:5000": {} }',
    /found a.b:5000, which has no host that clients reach on port 443/,
  ],
  ['catalogue: false', /catalogue: found false, expected at least one registry under registries then/],
  [
    'registries: { index.docker.io: {} }',
    /registries.index.docker.io: found index.docker.io, which is another name of docker.io/,
  ],
  [
    'registries: { a.b: { aliases: [x] }, c.d: { aliases: [x] } }',
    /registries.a.b: found x, which is another name of c.d/,
  ],
  // YAML.
  ['%YAML 1.1\n---\ncatalogue: no', /^sampan.yaml:3: catalogue: found "no", expected true or false$/],
  ['a: 1\nlisten: 127.0.0.1:1\nlisten: 127.0.0.1:2', /^sampan.yaml:3: listen: found twice, expected once$/],
  ['listen: [::1]:5050', /^sampan.yaml:1: not valid YAML: .* \(a value with special characters needs quotes\)/],
  ['listen: *nobody', /^sampan.yaml: not valid YAML: Unresolved alias/],
  ['listen: !secret x', /^sampan.yaml:1: not valid YAML: Unresolved tag/],
  ['listen: x\n---\nlisten: y', /not valid YAML: Source contains multiple documents/],
  [`a: &a [1]\nb: [${'*a,'.repeat(101)}]`, /not valid YAML: Excessive alias count/],
  ['['.repeat(10_000), /not valid YAML/],
];
for (const [yaml, complaint] of wrong) {
  test(`is refused: ${yaml.slice(0, 70).replaceAll('\n', ' | ')}`, async (t) => {
    const all = await complaints(t, yaml);
    assert.ok(
      all.some((each) => complaint.test(each)),
      all.join('\n'),
    );
  });
}

test('an error names who has the last word', async (t) => {
  const environment = { SAMPAN_LISTEN: 'y' };
  assert.match(
    (await complaints(t, 'listen: x', { environment, flags: { listen: 'z' } })).join(),
    /^--listen: listen: found "z"/,
  );
  assert.match((await complaints(t, 'listen: x', { environment })).join(), /^SAMPAN_LISTEN: listen: found "y"/);
});

test('what is wrong in one place does not hide what is wrong between others', async (t) => {
  const all = await complaints(t, 'registries: { a.b: { mirrors: 1 } }\nhosts: { x.y: a.c }\nlisten: 0.0.0.0:1');
  assert.equal(all.length, 3);
});

test('a host that is mapped to a registry that is wrong itself is not complained of', async (t) => {
  assert.equal((await complaints(t, 'registries: { a.b: { mirrors: 1 } }\nhosts: { x.y: a.b }')).length, 1);
});

test('listening beyond the loopback without a word on access is refused, with the lines to add', async (t) => {
  const [complaint = ''] = await complaints(t, 'listen: 0.0.0.0:5050');
  assert.match(complaint, /^sampan.yaml:1: listen: found 0.0.0.0:5050, which other machines can reach/);
  for (const lines of ['\n\naccess:\n  networks: [10.0.0.0/8]\n', '\n\naccess: open\n']) {
    assert.ok(complaint.includes(lines));
  }
});

test('an unknown variable is an error that names the one that was meant, never its value', async () => {
  const environment = { SAMPAN_STORAGE_LIMITS: 'secret', SAMPAN_NONSENSE: 'secret', SAMPAN_LISTEN_PORT: '80' };
  const all = await complaintsOf(readConfig({ flags: {}, environment, directory: '/' }));
  assert.equal(all[0], 'SAMPAN_STORAGE_LIMITS: found an unknown variable; did you mean SAMPAN_STORAGE_LIMIT?');
  assert.match(all[1] ?? '', /^SAMPAN_NONSENSE: found an unknown variable; expected one of SAMPAN_LISTEN, /);
  assert.match(all[2] ?? '', /^SAMPAN_LISTEN_PORT: found an unknown variable/);
  assert.doesNotMatch(all.join(), /secret/);
});

test('passwords in URLs are not repeated', async (t) => {
  const all = await complaints(t, 'registries: { a.b: { endpoints: ["https://alice:secret@a.b/?token=secret"] } }');
  assert.equal(all.length, 1);
  assert.doesNotMatch(all.join(), /alice|secret/);
});

test('a file that is too large, or no text, or not there, is refused', async (t) => {
  assert.match((await complaints(t, '#'.repeat(2 ** 20 + 1))).join(), /is larger than 1 MiB/);
  assert.deepEqual(await complaints(t, '#'.repeat(2 ** 20)), []);
  assert.match((await complaints(t, Buffer.from([0x61, 0xff]))).join(), /is not UTF-8 text/);
  const missing = readConfig({ flags: { config: '/missing/sampan.yaml' }, environment: {}, directory: '/' });
  assert.deepEqual(await complaintsOf(missing), ['/missing/sampan.yaml: cannot be read (ENOENT)']);
});
