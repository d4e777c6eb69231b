import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { ContainerStore } from './container-store.ts';
import { A_CONTAINER_ID, aRecord } from './testing/a-record.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'engine-room-store-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const add = async (store: ContainerStore, id: string, name: string) => {
  store.reserveName(name, id);
  return store.add(aRecord(id, name), HostConfig.parse({}));
};

test('a container is found by name, id and an unambiguous beginning of it, after a restart too', async () => {
  await add(new ContainerStore(root), A_CONTAINER_ID, 'one');
  const store = new ContainerStore(root);
  await store.load();

  expect(store.find('one').id).toBe(A_CONTAINER_ID);
  expect(store.find('/one').id).toBe(A_CONTAINER_ID);
  expect(store.find(A_CONTAINER_ID).id).toBe(A_CONTAINER_ID);
  expect(store.find('abab').id).toBe(A_CONTAINER_ID);
});

test('two containers with one beginning are not guessed between', async () => {
  const store = new ContainerStore(root);
  await add(store, A_CONTAINER_ID, 'one');
  await add(store, `${A_CONTAINER_ID.slice(0, 62)}cd`, 'two');

  expect(() => store.find('abab')).toThrow('multiple IDs found with provided prefix: abab');
});

test('a taken name is refused in the words that clients know', async () => {
  const store = new ContainerStore(root);
  await add(store, A_CONTAINER_ID, 'one');

  expect(() => store.reserveName('one', 'x')).toThrow(
    `Conflict. The container name "/one" is already in use by container "${A_CONTAINER_ID}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
});

test('a container that was never complete is cleaned away at the start', async () => {
  const half = join(root, 'cd'.repeat(32));
  mkdirSync(half);
  writeFileSync(join(half, 'hostconfig.json'), '{}');
  const store = new ContainerStore(root);

  await store.load();

  expect(store.list()).toEqual([]);
  expect(existsSync(half)).toBe(false);
});

test('what is removed is gone at once, and its files follow', async () => {
  const store = new ContainerStore(root);
  const container = await add(store, A_CONTAINER_ID, 'one');

  store.remove(container);

  expect(existsSync(container.directory)).toBe(false);
  await store.settled();
  expect(readdirSync(root)).toEqual([]);
});

test('a dockerd that died while files followed leaves them to the next one', async () => {
  const left = join(root, `${A_CONTAINER_ID}.removed`);
  mkdirSync(left);
  writeFileSync(join(left, 'config.v2.json'), '{}');
  const store = new ContainerStore(root);

  await store.load();

  expect(store.list()).toEqual([]);
  expect(readdirSync(root)).toEqual([]);
});
