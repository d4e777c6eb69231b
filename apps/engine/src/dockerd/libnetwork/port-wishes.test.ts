import { expect, test } from 'vitest';
import { portWishes } from './port-wishes.ts';

const wishes = (PortBindings: object, exposed = {}, PublishAllPorts = false) =>
  portWishes(exposed, { PortBindings: { ...PortBindings }, PublishAllPorts });

test.each([
  [{ '80/tcp': [{ HostPort: '8080' }] }, 'tcp', 80, '', { first: 8080, last: 8080 }],
  [{ '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }] }, 'udp', 53, '127.0.0.1', null],
  [{ '80': [{ HostPort: '8000-8010' }] }, 'tcp', 80, '', { first: 8000, last: 8010 }],
  [{ '80/tcp': [{ HostPort: '0' }] }, 'tcp', 80, '', null],
])('%j', (bindings, ...expected) => {
  const [wish] = wishes(bindings);

  expect([wish?.protocol, wish?.containerPort, wish?.hostIp, wish?.hostPorts]).toEqual(expected);
});

test('-P publishes what is exposed and not bound already', () => {
  const found = wishes({ '80/tcp': [{ HostPort: '8080' }] }, { '80/tcp': {}, '443/tcp': {} }, true);

  expect(found.map(({ containerPort }) => containerPort)).toEqual([80, 443]);
  expect(wishes({}, { '80/tcp': {} })).toEqual([]);
});

test.each([
  [{ 'http/tcp': [] }, 'invalid port specification: "http/tcp"'],
  [{ '0/tcp': [] }, 'invalid port specification'],
  [{ '70000/tcp': [] }, 'invalid port specification'],
  [{ '80-90/tcp': [] }, 'invalid port specification'],
  [{ '80/icmp': [] }, 'invalid proto: icmp'],
  [{ '80/sctp': [] }, 'sctp ports are not supported'],
  [{ '80/tcp': [{ HostPort: '90-80' }] }, 'invalid port specification: "90-80"'],
  [{ '80/tcp': [{ HostIp: 'here' }] }, 'invalid IP address: here'],
  [{ '80/tcp': 'x' }, 'invalid port specification'],
])('%j is refused', (bindings, sentence) => {
  expect(() => wishes(bindings)).toThrow(sentence);
});
