// Who is told that his version of TLS will not do for much longer, and in which words and headers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pageOf } from '../../../src/core/edge/page.ts';
import { noticesOf, type TlsPolicy } from '../../../src/core/edge/tls.ts';
import { ofRegistry } from '../../../src/core/mirror/face.ts';
import { manifestReply } from '../../../src/core/mirror/replies.ts';
import { parseDigest } from '../../../src/core/oci/digest.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { parseTls, tlsVersions } from '../../../src/core/oci/tls-version.ts';
import { warningOf } from '../../../src/core/oci/warning.ts';
import { warningRead } from '../../conformance/warning.ts';

const policy: TlsPolicy = {
  minimum: 'TLSv1.3',
  since: Date.UTC(2026, 11, 1),
  sunset: Date.UTC(2027, 2, 1),
  link: 'https://example.com/tls',
};

const text =
  'sampan: you are connected by TLS 1.2; from 2027-03-01 on this mirror takes nothing but TLS 1.3, see https://example.com/tls';

describe('the notice', () => {
  test('is for every older version, and for nobody else', () => {
    for (const [minimum, older] of [
      ['TLSv1.1', ['TLSv1']],
      ['TLSv1.2', ['TLSv1', 'TLSv1.1']],
      ['TLSv1.3', ['TLSv1', 'TLSv1.1', 'TLSv1.2']],
    ] as const) {
      const told = [...tlsVersions, 'none' as const, 'unknown' as const].filter(
        (tls) => noticesOf({ ...policy, minimum })(tls) !== undefined,
      );
      assert.deepEqual(told, older);
    }
  });

  test('is a sentence, a Warning of the one form that clients read, and headers for other APIs', () => {
    const notice = noticesOf(policy)('TLSv1.2');
    assert.equal(notice?.text, text);
    assert.equal(notice?.warning, `299 - "${text}"`);
    assert.deepEqual(notice?.headers, {
      // RFC 9745, a date of RFC 9651; RFC 8594, an HTTP-date.
      deprecation: '@1796083200',
      sunset: 'Mon, 01 Mar 2027 00:00:00 GMT',
      link: '<https://example.com/tls>; rel="deprecation", <https://example.com/tls>; rel="sunset"',
    });
  });

  test('says no more than its owner has', () => {
    const little = { ...policy, minimum: 'TLSv1.2', sunset: undefined } as const;
    const notice = noticesOf({ ...little, link: undefined })('TLSv1');
    assert.equal(
      notice?.text,
      'sampan: you are connected by TLS 1.0; soon this mirror takes nothing but TLS 1.2 or later',
    );
    assert.deepEqual(notice?.headers, { deprecation: '@1796083200' });
    // A relation without its header would tell of a day that nobody has set.
    assert.deepEqual(noticesOf(little)('TLSv1')?.headers, {
      deprecation: '@1796083200',
      link: '<https://example.com/tls>; rel="deprecation"',
    });
  });

  test('is a field of its own beside a stale Warning, and both together are no longer than 4096 bytes', () => {
    const long = noticesOf({ ...policy, link: `https://example.com/?${'\\"'.repeat(2000)}` })('TLSv1.2');
    const stale = manifestReply(
      { mediaType: 'a/b', digest: parseDigest(`sha256:${'a'.repeat(64)}`), size: 1 },
      undefined,
      'stale',
      new RegistryError('TOOMANYREQUESTS', 'too many'),
    );
    for (const warning of [noticesOf(policy)('TLSv1.2')?.warning, long?.warning]) {
      const { headers } = ofRegistry(stale, warning);
      const fields = headers['warning'];
      assert.ok(Array.isArray(fields) && fields.length === 2);
      assert.match(warningRead(String(fields[0])) ?? '', /^sampan: the upstream registry limits the rate/);
      assert.match(warningRead(String(fields[1])) ?? '', /^sampan: you are connected by TLS 1\.2/);
      assert.ok(fields.join().length <= 4096, String(fields.join().length));
    }
    assert.equal(ofRegistry(stale, undefined).headers['warning'], stale.headers['warning']);
  });

  test('on the page is read by people, and nothing of it is taken for HTML', () => {
    const page = pageOf('<p>pull</p>', noticesOf({ ...policy, link: 'https://a/?"><b>' })('TLSv1.1'));
    assert.match(page, /<aside role="note">[^]*TLS 1\.1[^]*<strong>2027-03-01<\/strong>[^]*TLS 1\.3[^]*<p>pull<\/p>/);
    assert.match(page, /<a href="https:\/\/a\/\?&#34;&#62;&#60;b&#62;">/);
    assert.doesNotMatch(pageOf('<p>pull</p>', undefined), /<aside/);
  });
});

test('a warning is whatever podman reads of it, and nothing that is no text gets in', () => {
  for (const said of ['plain', 'a "quoted" word', 'C:\\path\\', '\\"', '']) {
    assert.equal(warningRead(warningOf(said)), said);
  }
  assert.equal(warningRead(warningOf('a\r\nset-cookie: b\u0000\u007f\u2028ü')), 'aset-cookie: b');
});

test('a version is one of those that are known, in the words of those that tell it', () => {
  for (const version of tlsVersions) assert.equal(parseTls(version), version);
  assert.equal(parseTls('none'), 'none');
  for (const other of [undefined, null, '', 'SSLv3', 'tlsv1.2', 'TLSv1.2, TLSv1.3', '__proto__', 'unknown']) {
    assert.equal(parseTls(other), 'unknown');
  }
});
