import { expect, test } from 'vitest';
import { hostText, parseListenAddress } from './listen-address.ts';

test.each([
  ['unix:///run/d.sock', 'unix:///run/d.sock'],
  ['tcp://127.0.0.1:2375', 'tcp://127.0.0.1:2375'],
  ['tcp://', 'tcp://0.0.0.0:2375'],
  ['tcp://:1234', 'tcp://0.0.0.0:1234'],
  ['tcp://[::1]:1', 'tcp://[::1]:1'],
  ['tcp://localhost', 'tcp://localhost:2375'],
])('%s', (text, expected) => {
  expect(hostText(parseListenAddress(text, { hasTls: false }))).toBe(expected);
});

test('with TLS the port is another one', () => {
  expect(hostText(parseListenAddress('tcp://localhost', { hasTls: true }))).toBe(
    'tcp://localhost:2376',
  );
});

test.each([
  ['unix://relative', 'absolute path'],
  ['fd://', 'unix:///path and tcp://host:port only'],
  ['/run/d.sock', 'unix:///path and tcp://host:port only'],
  ['tcp://::1:1', 'brackets'],
  ['tcp://host:70000', 'invalid port "70000"'],
  ['tcp://host:port', 'host:port'],
])('%s is refused', (text, why) => {
  expect(() => parseListenAddress(text, { hasTls: false })).toThrow(why);
});
