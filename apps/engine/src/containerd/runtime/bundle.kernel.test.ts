/** Needs root: groups of folders. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Bundle } from './bundle.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const made = (config: object) => {
  const folders = { state: join(folder, 'state'), root: join(folder, 'root') };
  const bytes = Buffer.from(JSON.stringify(config));
  const { path } = Bundle.create(folders, { namespace: 'n', id: 'c', config: bytes });
  const { mode, uid, gid } = statSync(path);
  return { mode: mode & 0o777, uid, gid };
};

test('a bundle is closed to all but root', () => {
  expect(made({ linux: {} })).toEqual({ mode: 0o700, uid: 0, gid: 0 });
});

test('the root of a user namespace may pass through it', () => {
  const gidMappings = [
    { containerID: 1000, hostID: 5, size: 1 },
    { containerID: 0, hostID: 100_000, size: 1000 },
  ];
  expect(made({ linux: { gidMappings } })).toEqual({ mode: 0o710, uid: 0, gid: 100_000 });
});

test('a mapping of root to root opens nothing', () => {
  const gidMappings = [{ containerID: 0, hostID: 0, size: 1000 }];
  expect(made({ linux: { gidMappings } })).toEqual({ mode: 0o700, uid: 0, gid: 0 });
});
