import { expect, test } from 'vitest';
import { AddressBook6, freeSubnet6 } from './ipam6.ts';
import { newNetwork } from './network-store.ts';
import { parseSubnet6, textOfSubnet6 } from './subnet6.ts';

const network = newNetwork({
  name: 'n',
  driver: 'bridge',
  subnet6: 'fd00:1::/126',
  gateway6: 'fd00:1::1',
});

test('addresses are given from the lowest, come back, and run out', () => {
  const book = new AddressBook6();
  expect(book.lease(network, 'a', '')).toBe('fd00:1::2');
  expect(book.lease(network, 'b', 'fd00:1::3')).toBe('fd00:1::3');
  expect(() => book.lease(network, 'c', '')).toThrow('no available IPv6 addresses');

  book.release(network.id, 'b', 'fd00:1::2');
  expect(() => book.lease(network, 'c', '')).toThrow('no available IPv6 addresses');
  book.release(network.id, 'a', 'fd00:1::2');
  expect(book.lease(network, 'c', '')).toBe('fd00:1::2');
});

test.each([
  ['fd00:1::1', 'Address already in use'],
  ['fd00:2::2', 'no configured subnet or ip-range contain the IP address fd00:2::2'],
  ['10.0.0.1', 'invalid IPv6 address: 10.0.0.1'],
])('%s cannot be had', (asked, sentence) => {
  expect(() => new AddressBook6().lease(network, 'a', asked)).toThrow(sentence);
});

test('a subnet of one’s own is unique local, always the same for one engine, and free', () => {
  const first = freeSubnet6('me', []);

  expect(textOfSubnet6(first)).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]+:[0-9a-f]+::\/64$/);
  expect(freeSubnet6('me', [])).toEqual(first);
  expect(freeSubnet6('you', [])).not.toEqual(first);
  expect(freeSubnet6('me', [first, parseSubnet6('fd00::/64')])).toEqual({
    ...first,
    first: first.last + 1n,
    last: first.last + (1n << 64n),
  });
});
