// The keys about TLS: what goes together, and what is wrong is told without a secret.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readConfig } from '../../../src/node/config/config.ts';
import { complaints, read, temporaryDirectory } from './reading.ts';

const secret = '0123456789abcdef0123456789abcdef';

describe('tls', () => {
  test('is a certificate and a key, whose paths begin where they are written', async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'sampan.yaml'), 'tls: { certificate: tls/cert.pem, key: /key.pem }');
    const there = await readConfig({
      flags: { config: join(directory, 'sampan.yaml') },
      environment: {},
      directory: '/',
    });
    assert.deepEqual(there.tls, { certificate: join(directory, 'tls/cert.pem'), key: '/key.pem', minimum: 'TLSv1.2' });
    const environment = {
      SAMPAN_TLS_CERTIFICATE: 'cert.pem',
      SAMPAN_TLS_KEY: 'key.pem',
      SAMPAN_TLS_MINIMUM: 'TLSv1.3',
    };
    const here = await readConfig({ flags: {}, environment, directory: '/here' });
    assert.deepEqual(here.tls, { certificate: '/here/cert.pem', key: '/here/key.pem', minimum: 'TLSv1.3' });
  });

  test('is both of them, and no version that is switched off everywhere', async (t) => {
    assert.deepEqual(await complaints(t, 'tls: { certificate: a.pem }'), [
      'sampan.yaml:1: tls.key: found nothing, expected the path of a file: certificate and key go together',
    ]);
    assert.deepEqual(await complaints(t, 'tls: { key: a.pem }'), [
      'sampan.yaml:1: tls.certificate: found nothing, expected the path of a file: certificate and key go together',
    ]);
    assert.deepEqual(await complaints(t, 'tls: { minimum: TLSv1 }'), [
      'sampan.yaml:1: tls.minimum: found "TLSv1", expected TLSv1.2 or TLSv1.3',
    ]);
    assert.equal((await read(t, 'tls: { minimum: TLSv1.3 }')).tls, undefined);
  });
});

describe('tls_notice', () => {
  test('has dates that there are, in their order, and a link that fits into a header', async (t) => {
    for (const [yaml, says] of [
      ['sunset: 2027-03-01', ': expected a minimum too, one of TLSv1.1, TLSv1.2, TLSv1.3'],
      ['minimum: TLSv1.4', '.minimum: found "TLSv1.4", expected one of TLSv1.1, TLSv1.2, TLSv1.3'],
      ['minimum: TLSv1.3, sunset: 2027-02-30', '.sunset: found "2027-02-30", expected a date, such as 2027-03-01'],
      ['minimum: TLSv1.3, sunset: soon', '.sunset: found "soon", expected a date, such as 2027-03-01'],
      [
        'minimum: TLSv1.3, since: 2027-03-02, sunset: 2027-03-01',
        '.sunset: found a date before since, expected a later one',
      ],
      [
        'minimum: TLSv1.3, link: "http://example.com/"',
        '.link: found "http://example.com/", expected an https URL of at most 1000 characters',
      ],
    ] as const) {
      assert.deepEqual(await complaints(t, `tls_notice: { ${yaml} }`), [`sampan.yaml:1: tls_notice${says}`]);
    }
    assert.equal(
      (await complaints(t, `tls_notice: { minimum: TLSv1.3, link: "https://a/${'x'.repeat(1000)}" }`)).length,
      1,
    );
    const { tlsNotice } = await read(t, 'tls_notice: { minimum: TLSv1.3, link: "https://ü.example/ä>" }');
    assert.equal(tlsNotice?.link, 'https://xn--tda.example/%C3%A4%3E');
  });
});

describe('tls_notice without since', () => {
  test('deprecates since long ago, and never after the sunset', async (t) => {
    for (const [sunset, since] of [
      ['2027-03-01', '2021-03-01'],
      ['2020-06-01', '2020-06-01'],
    ] as const) {
      const { tlsNotice } = await read(t, `tls_notice: { minimum: TLSv1.3, sunset: ${sunset}, link: "https://a/" }`);
      assert.equal(tlsNotice?.since, Date.parse(since));
    }
    assert.equal((await read(t, 'tls_notice: { minimum: TLSv1.3 }')).tlsNotice?.since, Date.UTC(2021, 2, 1));
  });
});

describe('edge', () => {
  test('has a secret, from one of three places, and the headers that the guard has', async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'secret'), `${secret}\n`);
    const usual = { protocol: 'x-client-ssl-protocol', secret: 'x-edge-secret' };
    const edge = async (environment: Readonly<Record<string, string>>) =>
      (await readConfig({ flags: {}, environment, directory })).edge;
    assert.deepEqual(await edge({ SAMPAN_EDGE_SECRET: secret }), { secret, headers: usual });
    assert.deepEqual(await edge({ SAMPAN_EDGE_SECRET_FILE: 'secret' }), { secret, headers: usual });
    assert.deepEqual(await edge({ SAMPAN_EDGE_SECRET_ENV: 'OURS', OURS: secret }), { secret, headers: usual });
    assert.equal(await edge({}), undefined);
  });

  test('that is wrong is told without the secret', async (t) => {
    for (const [yaml, says] of [
      ['headers: { protocol: X-Tls }', ': expected one of secret, secret_file and secret_env'],
      [`secret: ${secret}, secret_env: X`, ': expected one of secret, secret_file and secret_env'],
      [
        'secret: short',
        ': found a secret of another form, expected 32 to 200 characters without spaces that nobody can guess',
      ],
      [
        'secret: 12345',
        '.secret: found something else, expected 32 to 200 characters without spaces that nobody can guess',
      ],
      ['secret_file: /none', ': /none cannot be read (ENOENT)'],
      [`secret: ${secret}, headers: { protocol: X-Edge-Secret }`, ': found one header for both, expected two'],
      [
        `secret: ${secret}, headers: { secret: "a b" }`,
        '.headers.secret: found something else, expected the name of a header that begins with X-, such as X-Client-SSL-Protocol',
      ],
    ] as const) {
      assert.deepEqual(await complaints(t, `edge: { ${yaml} }`), [`sampan.yaml:1: edge${says}`]);
    }
  });
});
