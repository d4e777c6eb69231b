import { expect, test } from 'vitest';
import { canonicalName, familiarName, parseReference } from './reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
  ['me/app', 'docker.io/me/app:latest', 'me/app:latest'],
  ['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['example.com:5000/a/b:c', 'example.com:5000/a/b:c', 'example.com:5000/a/b:c'],
  [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`, `busybox@${DIGEST}`],
])('%s is %s, called %s', (given, canonical, familiar) => {
  expect(canonicalName(parseReference(given))).toBe(canonical);
  expect(familiarName(canonical)).toBe(familiar);
});

test.each(['', ':x', 'a b', 'a/../b', 'busybox:', '-a', 'a@sha256:12', `${'a'.repeat(300)}`])(
  '"%s" is no reference',
  (given) => {
    expect(() => parseReference(given)).toThrow('invalid reference format');
  },
);

test('capital letters get a sentence of their own', () => {
  expect(() => parseReference('BusyBox')).toThrow(
    'invalid reference format: repository name (library/BusyBox) must be lowercase',
  );
});

test('a long name that is nearly a domain is refused at once', () => {
  expect(() => parseReference(`${'a'.repeat(50_000)}!.b/c`)).toThrow('invalid reference format');
  expect(() => parseReference(`${'a-'.repeat(50_000)}.b/c`)).toThrow('invalid reference format');
});
