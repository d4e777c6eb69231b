import { expect, test } from 'vitest';
import { AddressBook, freePool } from './ipam.ts';
import { newNetwork } from './network-store.ts';
import { parseSubnet, textOfSubnet } from './subnet.ts';

const aNetwork = (fields: object = {}) =>
  newNetwork({
    name: 'n',
    driver: 'bridge',
    subnet: '10.0.0.0/29',
    gateway: '10.0.0.1',
    isSubnetChosen: true,
    ...fields,
  });

test('addresses are given from the lowest, never the gateway or the broadcast, until there are none', () => {
  const book = new AddressBook();
  const network = aNetwork();
  const given = [1, 2, 3, 4, 5].map((i) => book.lease(network, `e${i}`, ''));

  expect(given).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
  expect(() => book.lease(network, 'e6', '')).toThrow('no available IPv4 addresses');
  book.release(network.id, 'e3', '10.0.0.4');
  expect(book.lease(network, 'e7', '')).toBe('10.0.0.4');
});

test('whoever does not have an address cannot give it back', () => {
  const book = new AddressBook();
  const network = aNetwork();
  book.lease(network, 'e1', '10.0.0.2');
  book.release(network.id, 'e2', '10.0.0.2');

  expect(() => book.lease(network, 'e3', '10.0.0.2')).toThrow('Address already in use');
});

test('only the range is given from, and not what somebody else has', () => {
  const book = new AddressBook();
  const network = aNetwork({ ipRange: '10.0.0.4/31', auxiliary: { printer: '10.0.0.4' } });

  expect(book.lease(network, 'e1', '')).toBe('10.0.0.5');
  expect(() => book.lease(network, 'e2', '')).toThrow('no available IPv4 addresses');
});

test.each([
  ['10.0.0.1', 'Address already in use'],
  ['10.0.1.1', 'no configured subnet'],
  ['not-an-address', 'invalid IPv4 address'],
])('%s cannot be asked for', (address, sentence) => {
  expect(() => new AddressBook().lease(aNetwork(), 'e1', address)).toThrow(sentence);
});

test('a pool is free when nothing on the machine overlaps with it', () => {
  const first = freePool([]);
  const second = freePool([parseSubnet('172.29.5.0/24')]);

  expect([first, second].map(textOfSubnet)).toEqual(['172.29.0.0/16', '172.30.0.0/16']);
  expect(textOfSubnet(freePool([parseSubnet('172.16.0.0/12')]))).toBe('192.168.0.0/20');
  expect(() => freePool([parseSubnet('172.16.0.0/12'), parseSubnet('192.168.0.0/16')])).toThrow(
    'all predefined address pools have been fully subnetted',
  );
});
