import { expect, test } from 'vitest';
import { resolveUser } from './user.ts';

const FILES = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n1001:x:7:7::/odd:/bin/sh\nbroken line\n',
  group: 'root:x:0:root\nwheel:x:10:root,alice\nalice:x:1000:\nstaff:x:50:\n',
};

test.each([
  ['', { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root' }],
  ['alice', { uid: 1000, gid: 1000, additionalGids: [1000, 10], home: '/home/alice' }],
  ['1000', { uid: 1000, gid: 1000, additionalGids: [1000, 10], home: '/home/alice' }],
  ['alice:staff', { uid: 1000, gid: 50, additionalGids: [50], home: '/home/alice' }],
  ['4000:4001', { uid: 4000, gid: 4001, additionalGids: [4001], home: '/' }],
  // A user may be called like a number.
  ['1001', { uid: 7, gid: 7, additionalGids: [7], home: '/odd' }],
])('-u "%s"', (given, expected) => {
  expect(resolveUser(given, FILES)).toEqual(expected);
});

test('groups can be added by name and by number', () => {
  expect(resolveUser('alice', FILES, ['staff', '99']).additionalGids).toEqual([1000, 10, 50, 99]);
});

test.each([
  ['nobody', 'unable to find user nobody: no matching entries in passwd file'],
  ['alice:nogroup', 'unable to find group nogroup: no matching entries in group file'],
  ['4294967296', 'uids and gids must be in range 0-2147483647'],
])('-u %s is refused', (given, sentence) => {
  expect(() => resolveUser(given, FILES)).toThrow(sentence);
});
