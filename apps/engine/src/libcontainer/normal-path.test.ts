import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { below, normalPath } from './normal-path.ts';

const PARTS = ['', '.', '..', '...', '.a', 'a', 'a.', 'a b', '..b'];

test('says what node:path says, without a slash at the end', () => {
  const paths = PARTS.flatMap((a) =>
    PARTS.flatMap((b) => PARTS.flatMap((c) => [`${a}/${b}/${c}`, `/${a}/${b}/${c}/`])),
  );

  for (const path of ['', '/', '//', ...paths])
    expect([path, normalPath(path)]).toEqual([
      path,
      posix.normalize(`/${path}`).replace(/(.)\/$/, '$1'),
    ]);
});

test('a path below a folder begins with the folder', () => {
  expect(below('/sys/fs/cgroup', '/docker/a')).toBe('/sys/fs/cgroup/docker/a');
  expect(below('/', '/docker')).toBe('/docker');
  expect(below('/sys', '/')).toBe('/sys');
});
