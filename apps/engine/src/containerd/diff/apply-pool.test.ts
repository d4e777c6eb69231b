import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApplyPool } from './apply-pool.ts';

/** Does what the path of the blob says, as `apply-thread.ts` would answer. */
const THREAD = `
const { parentPort, threadId } = require('node:worker_threads');
parentPort.on('message', (message) => {
  if (message === 'cancel') parentPort.postMessage({ kind: 'cancelled', message: 'context canceled' });
  else if (message.blobPath === 'die') process.exit(3);
  else if (message.blobPath === 'throw') throw new Error('out of luck');
  else if (message.blobPath === 'fail') parentPort.postMessage({ kind: 'invalid_argument', message: 'bad layer' });
  else if (message.blobPath !== 'hang') parentPort.postMessage({ applied: { digest: message.target, sizeBytes: threadId, entries: 0 } });
});`;

let folder: string;
let script: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pool-'));
  script = join(folder, 'thread.cjs');
  writeFileSync(script, THREAD);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const asked = (pool: ApplyPool, blobPath: string, signal = never) =>
  pool.apply({ blobPath, target: blobPath }, signal);

test('more layers than threads are applied one after the other, by the same threads', async () => {
  const pool = new ApplyPool(script, 2);

  const applied = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((blob) => asked(pool, blob)));

  expect(applied.map(({ digest }) => digest)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(new Set(applied.map(({ sizeBytes }) => sizeBytes)).size).toBe(2);
});

test('what is wrong with a layer is said with its kind, and the thread goes on', async () => {
  const pool = new ApplyPool(script, 1);

  await expect(asked(pool, 'fail')).rejects.toMatchObject({
    kind: 'invalid_argument',
    message: 'bad layer',
  });
  await expect(asked(pool, 'next')).resolves.toMatchObject({ digest: 'next' });
});

test.each(['die', 'throw'])('a thread that ends (%s) fails its layer and no other', async (end) => {
  const pool = new ApplyPool(script, 1);

  const [broken, next] = await Promise.allSettled([asked(pool, end), asked(pool, 'next')]);

  expect(broken).toMatchObject({ status: 'rejected', reason: { kind: 'unknown' } });
  expect(next).toMatchObject({ status: 'fulfilled', value: { digest: 'next' } });
});

test('a layer that nobody waits for any more is given up', async () => {
  const pool = new ApplyPool(script, 1);
  const abort = new AbortController();
  const applying = asked(pool, 'hang', abort.signal);
  const next = asked(pool, 'next');
  setImmediate(() => abort.abort());

  await expect(applying).rejects.toMatchObject({ kind: 'cancelled' });
  await expect(next).resolves.toMatchObject({ digest: 'next' });
});
