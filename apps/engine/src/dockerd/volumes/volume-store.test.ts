import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ANONYMOUS_LABEL, VolumeStore } from './volume-store.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'engine-room-volumes-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const aStore = async (): Promise<VolumeStore> => {
  const store = new VolumeStore(root);
  await store.load();
  return store;
};

test('a volume and its files outlive the daemon', async () => {
  const { volume } = await (await aStore()).create({ name: 'data', labels: { a: 'b' } });
  writeFileSync(join(volume.mountpoint, 'file'), 'kept');

  const again = await aStore();

  expect(again.find('data')).toEqual(volume);
  expect(existsSync(join(volume.mountpoint, 'file'))).toBe(true);
});

test('a second creation answers the first volume, and only an unnamed one is anonymous', async () => {
  const store = await aStore();

  const first = await store.create({ name: 'data', labels: {} });
  const second = await store.create({ name: 'data', labels: { other: 'label' } });
  const { volume: unnamed } = await store.create({ name: '', labels: {} });

  expect([first.isNew, second.isNew]).toEqual([true, false]);
  expect(second.volume).toBe(first.volume);
  expect(unnamed.name).toMatch(/^[0-9a-f]{64}$/);
  expect(unnamed.labels).toEqual({ [ANONYMOUS_LABEL]: '' });
});

test('what a crash left half made or half removed is taken away; files without a note are not', async () => {
  mkdirSync(join(root, 'half-made'));
  mkdirSync(join(root, '.removed-0123', '_data'), { recursive: true });
  mkdirSync(join(root, 'no-note', '_data'), { recursive: true });

  const store = await aStore();

  expect(store.list()).toEqual([]);
  expect(existsSync(join(root, 'half-made'))).toBe(false);
  expect(existsSync(join(root, '.removed-0123'))).toBe(false);
  expect(existsSync(join(root, 'no-note', '_data'))).toBe(true);
});

test('a volume that somebody holds stays; one that nobody holds leaves nothing', async () => {
  const store = await aStore();
  await store.create({ name: 'data', labels: {} }, 'box');

  await expect(store.remove('data')).rejects.toThrow('remove data: volume is in use - [box]');
  store.release('data', 'box');
  await store.remove('data');

  await expect(store.remove('data')).rejects.toThrow('get data: no such volume');
  expect(existsSync(join(root, 'data'))).toBe(false);
});

test.each(['..', 'a/b', '.hidden', 'a', 'x\0y', '-x'])('the name %j is refused', async (name) => {
  const store = await aStore();

  await expect(store.create({ name, labels: {} })).rejects.toThrow(/create .*: /);
});
