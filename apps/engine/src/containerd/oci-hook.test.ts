import { expect, test } from 'vitest';
import { fillIn } from './oci-hook.ts';

const state = {
  id: 'c1',
  bundle: '/run/c1',
  pid: 42,
  status: 'creating',
  annotations: { 'a/b': 'value' },
};

test.each([
  ['{{pid}}', '42'],
  ['--at={{ bundle }}:{{rootfs}}', '--at=/run/c1:/run/c1/rootfs'],
  ['{{id}} is {{status}}', 'c1 is creating'],
  ['{{annotation "a/b"}}{{annotation "none"}}', 'value'],
  ['plain {text}', 'plain {text}'],
])('a hook that asks for %s gets %s', (text, filled) => {
  expect(fillIn(text, state, '/run/c1/rootfs')).toBe(filled);
});

test('a word that means nothing is refused', () => {
  expect(() => fillIn('{{secrets}}', state, '')).toThrow('"secrets" is not defined');
});
