import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BlobStore } from './blob-store.ts';
import { digestOf, hexOf } from './digest.ts';

let root: string;
let store: BlobStore;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'blobs-'));
  store = new BlobStore(root);
  await store.open();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const blobs = (): string[] => readdirSync(join(root, 'blobs', 'sha256'));
const ingests = (): string[] => readdirSync(join(root, 'ingest'));
const bytes = (text: string): Buffer => Buffer.from(text);
const hello = digestOf('hello');

const put = async (text: string) => {
  const writer = await store.writer({ ref: `ref-${text}` });
  await writer.write(bytes(text));
  return writer.commit(text.length, undefined);
};

const readAll = async (...args: Parameters<BlobStore['read']>): Promise<string> => {
  let all = '';
  for await (const chunk of store.read(...args)) all += chunk.toString();
  return all;
};

describe('a blob', () => {
  test('is seen under its digest when it is committed, not before', async () => {
    const writer = await store.writer({ ref: 'r' });
    await writer.write(bytes('hel'));
    await writer.write(bytes('lo'));
    expect(blobs()).toEqual([]);

    await writer.commit(5, hello);

    expect(blobs()).toEqual([hexOf(hello)]);
    expect(ingests()).toEqual([]);
    expect(await readAll(hello)).toBe('hello');
  });

  test('can be read in part', async () => {
    await put('hello');

    expect(await readAll(hello, 1, 3)).toBe('ell');
    expect(await readAll(hello, 5)).toBe('');
    expect(await readAll(hello, 0, 0)).toBe('');
  });

  test('is refused when its bytes are not what was expected', async () => {
    const writer = await store.writer({ ref: 'r', expected: hello });
    await writer.write(bytes('hullo'));

    await expect(writer.commit(5, hello)).rejects.toMatchObject({
      kind: 'failed_precondition',
      message: expect.stringContaining('unexpected commit digest') as string,
    });
    expect(blobs()).toEqual([]);
    await writer.close();
  });

  test('is refused when its size is not what was expected', async () => {
    const writer = await store.writer({ ref: 'r' });
    await writer.write(bytes('hello'));

    await expect(writer.commit(6, undefined)).rejects.toMatchObject({
      kind: 'failed_precondition',
    });
    expect(blobs()).toEqual([]);
    await writer.close();
  });

  test('cannot grow past its declared size', async () => {
    const writer = await store.writer({ ref: 'r', totalBytes: 3 });

    await expect(writer.write(bytes('hello'))).rejects.toMatchObject({
      kind: 'failed_precondition',
    });
    await writer.close();
  });

  test('that exists is neither written again nor lost', async () => {
    await put('hello');

    await expect(store.writer({ ref: 'again', expected: hello })).rejects.toMatchObject({
      kind: 'already_exists',
    });
    await expect(put('hello')).rejects.toMatchObject({ kind: 'already_exists' });
    expect(await readAll(hello)).toBe('hello');
    expect(ingests()).toEqual([]);
  });

  test('that is unknown is not found, with the words that clients look for', async () => {
    await expect(store.stat(hello)).rejects.toMatchObject({
      kind: 'not_found',
      message: `content ${hello}: not found`,
    });
    await expect(readAll(hello)).rejects.toMatchObject({ kind: 'not_found' });
    expect(store.statNow(hello)).toBeUndefined();
  });
});

describe('an interrupted ingest', () => {
  test('goes on where it ended, hashing again what is on disk', async () => {
    const first = await store.writer({ ref: 'r', totalBytes: 5 });
    await first.write(bytes('hel'));
    await first.close();

    const again = new BlobStore(root);
    const second = await again.writer({ ref: 'r', totalBytes: 5 });
    expect(second.status().offset).toBe(3);
    await second.write(bytes('lo'));

    expect(await second.commit(5, hello)).toBe(hello);
  });

  test('whose bytes on disk were tampered with does not become a blob', async () => {
    const first = await store.writer({ ref: 'r' });
    await first.write(bytes('hel'));
    await first.close();
    writeFileSync(join(root, 'ingest', ingests()[0] ?? '', 'data'), 'xxx');

    const second = await store.writer({ ref: 'r', expected: hello });
    await second.write(bytes('lo'));

    await expect(second.commit(5, hello)).rejects.toMatchObject({ kind: 'failed_precondition' });
    await second.close();
  });

  test('is listed, and can be aborted', async () => {
    const writer = await store.writer({ ref: '../../strange ref' });
    await writer.write(bytes('hel'));
    await writer.close();

    expect(await store.statuses()).toMatchObject([{ ref: '../../strange ref', offset: 3 }]);
    await store.abort('../../strange ref');
    expect(await store.statuses()).toEqual([]);
  });

  test('has one writer at a time', async () => {
    const writer = await store.writer({ ref: 'r' });

    await expect(store.writer({ ref: 'r' })).rejects.toMatchObject({ kind: 'unavailable' });
    await writer.close();
    await (await store.writer({ ref: 'r' })).close();
  });

  test('whose writer is about to leave goes to one that waits, and only to one', async () => {
    const first = await store.writer({ ref: 'r' });
    const waiting = [store.writer({ ref: 'r' }), store.writer({ ref: 'r' })];
    await first.close();

    const second = await Promise.race(waiting);
    await second.close();
    const all = await Promise.all(waiting);
    for (const writer of all) await writer.close();

    expect(new Set(all).size).toBe(2);
  });

  test('of a ref that is being committed leaves nothing of it to the next writer, and takes nothing from it', async () => {
    for (let round = 0; round < 30; round++) {
      const first = await store.writer({ ref: 'r' });
      await first.write(bytes(`round ${round}`));
      const committed = first.commit(0, undefined);
      const second = await store.writer({ ref: 'r' });
      await second.write(bytes('begun'));
      await committed;
      await second.close();

      expect(await store.status('r')).toMatchObject({ offset: 5 });
      await store.abort('r');
    }
  });

  test('can start again from nothing', async () => {
    const writer = await store.writer({ ref: 'r' });
    await writer.write(bytes('wrong'));

    await writer.truncate();
    await writer.write(bytes('hello'));

    expect(await writer.commit(5, hello)).toBe(hello);
    expect(readFileSync(join(root, 'blobs', 'sha256', hexOf(hello)), 'utf8')).toBe('hello');
  });
});
