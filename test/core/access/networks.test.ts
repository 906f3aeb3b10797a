import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../../src/core/access/address.ts';
import { contains, parseNetwork } from '../../../src/core/access/networks.ts';

fc.configureGlobal({ seed: 20261120, numRuns: 1000 });

describe('addresses', () => {
  const good: readonly (readonly [text: string, expected: bigint])[] = [
    ['0.0.0.0', 0xffff_0000_0000n],
    ['1.2.3.4', 0xffff_0102_0304n],
    ['255.255.255.255', 0xffff_ffff_ffffn],
    ['::', 0n],
    ['::1', 1n],
    ['1::', 1n << 112n],
    ['::ffff:1.2.3.4', 0xffff_0102_0304n],
    ['::FFFF:0102:0304', 0xffff_0102_0304n],
    ['0:0:0:0:0:ffff:1.2.3.4', 0xffff_0102_0304n],
    ['1:2:3:4:5:6:7:8', 0x0001_0002_0003_0004_0005_0006_0007_0008n],
    ['1:2:3:4:5:6:7::', 0x0001_0002_0003_0004_0005_0006_0007_0000n],
    ['::2:3:4:5:6:7:8', 0x0002_0003_0004_0005_0006_0007_0008n],
    ['1:2:3:4:5:6:1.2.3.4', 0x0001_0002_0003_0004_0005_0006_0102_0304n],
    ['fe80::1:0', (0xfe80n << 112n) | 0x1_0000n],
  ];
  for (const [text, expected] of good) test(text, () => assert.equal(parseAddress(text), expected));

  const bad = [
    '',
    ' ',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '0x7f.0.0.1',
    '2130706433',
    '127.1',
    '1.2.3.-4',
    '1..3.4',
    '1.2.3.4:80',
  ]
    .concat([
      ':',
      ':::',
      '1:2',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      '1::2::3',
      ':1::',
      '1:',
      '12345::',
      'g::',
      '::1.2.3',
      '1.2.3.4::',
    ])
    .concat([
      '::1.2.3.4:5',
      '1:2:3:4:5:6:7:1.2.3.4',
      '[::1]',
      '::1%lo',
      'localhost',
      '\uff11.2.3.4',
      '::ffff:01.2.3.4',
      '1e1.2.3.4',
    ]);
  for (const text of bad) test(`${JSON.stringify(text)} is none`, () => assert.equal(parseAddress(text), undefined));

  test('any text is an address or none', () => {
    const near = fc
      .array(fc.constantFrom('1', 'ff', '0', '255', ':', '::', '.', '%', '/', 'g'), { maxLength: 20 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), (text) => (parseAddress(text) ?? 0n) < 1n << 128n),
    );
  });

  test('every spelling of an address is the same address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const number = parseAddress(text);
        assert.ok(number !== undefined);
        const groups = Array.from({ length: 8 }, (_, place) =>
          ((number >> BigInt(112 - 16 * place)) & 0xffffn).toString(16),
        );
        assert.equal(parseAddress(groups.join(':')), number);
        assert.equal(parseAddress(groups.map((group) => group.padStart(4, '0').toUpperCase()).join(':')), number);
      }),
    );
    fc.assert(fc.property(fc.ipV4(), (text) => assert.equal(parseAddress(text), parseAddress(`::ffff:${text}`))));
  });
});

describe('networks', () => {
  const table: readonly (readonly [network: string, inside: readonly string[], outside: readonly string[]])[] = [
    [
      '10.0.0.0/8',
      ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3', '::ffff:a01:203'],
      ['9.255.255.255', '11.0.0.0', '::a01:203', 'fd00::1'],
    ],
    ['10.9.8.7/8', ['10.0.0.1'], ['11.0.0.1']],
    ['192.168.1.4', ['192.168.1.4', '::ffff:192.168.1.4'], ['192.168.1.5', '192.168.1.3']],
    ['192.168.1.4/31', ['192.168.1.4', '192.168.1.5'], ['192.168.1.6']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255', '::ffff:8.8.8.8'], ['::', '::1', '2001::1', '::fffe:ffff:ffff']],
    ['::/0', ['::', '::1', '2001::1'], ['8.8.8.8', '::ffff:8.8.8.8']],
    ['fd00::/8', ['fd00::', 'fdff:ffff::1'], ['fc00::1', 'fe00::', '253.0.0.0']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::', '::2', '0.0.0.1', '127.0.0.1']],
    ['fe80::/10', ['fe80::1', 'fe80::1%eth0', 'febf::1%en-0.1'], ['fec0::1', 'fe80::1%a%b', 'fe80::1%a b']],
    ['::ffff:10.0.0.0/104', ['10.1.2.3', '::ffff:10.1.2.3'], ['11.0.0.0']],
    ['127.0.0.1/32', ['127.0.0.1'], ['127.0.0.2', '', 'localhost', '127.1', 'unknown', '127.0.0.1/32']],
  ];
  for (const [network, inside, outside] of table) {
    test(network, () => {
      for (const address of inside) assert.ok(contains(parseNetwork(network), address), address);
      for (const address of outside) assert.ok(!contains(parseNetwork(network), address), address);
    });
  }

  for (const text of [
    '',
    '/',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    '::/129',
    '10/8',
    '*',
    'fe80::1%eth0/10',
    '10.0.0.0/255.0.0.0',
    'example.com',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.throws(() => parseNetwork(text), TypeError));
  }
});
