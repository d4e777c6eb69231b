import { expect, test } from 'vitest';
import {
  bytesOfAddress6,
  contains6,
  numberOfAddress6,
  overlaps6,
  parseSubnet6,
  textOfAddress6,
  textOfSubnet6,
} from './subnet6.ts';

test.each([
  ['::', '::'],
  ['::1', '::1'],
  ['fd00::', 'fd00::'],
  ['FD00:0:0:1::0a', 'fd00:0:0:1::a'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
  ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ['10:0:0:100::', '10:0:0:100::'],
])('%s is written %s', (given, expected) => {
  expect(textOfAddress6(numberOfAddress6(given) ?? -1n)).toBe(expected);
});

test.each(['', '1.2.3.4', '1::2::3', 'fe80::1%eth0', '12345::'])('"%s" is none', (given) => {
  expect(numberOfAddress6(given)).toBeNull();
});

test('a subnet is a range', () => {
  const subnet = parseSubnet6('fd00:1::5/64');

  expect(textOfSubnet6(subnet)).toBe('fd00:1::/64');
  expect(textOfAddress6(subnet.last)).toBe('fd00:1::ffff:ffff:ffff:ffff');
  expect(contains6(subnet, numberOfAddress6('fd00:1::9') ?? 0n)).toBe(true);
  expect(overlaps6(subnet, parseSubnet6('fd00:1::/48'))).toBe(true);
  expect(overlaps6(subnet, parseSubnet6('fd00:2::/64'))).toBe(false);
  expect(bytesOfAddress6(1n)).toEqual(Buffer.from('0'.repeat(31) + '1', 'hex'));
});

test.each(['fd00::', 'fd00::/129', 'x/64', '10.0.0.0/8'])('%s is no subnet', (given) => {
  expect(() => parseSubnet6(given)).toThrow(`invalid CIDR address: ${given}`);
});
