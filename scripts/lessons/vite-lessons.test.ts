/** What a writer sees while `npx vite` runs: the lesson, the place of a fault, and the lesson again when it is mended. */
import { EventEmitter, once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServer, type ViteDevServer } from 'vite';
import { viteLessons } from './vite-lessons.ts';

/** Each is written once: the watcher takes two changes of a file within 50 ms for one. */
const BROKEN = '001-one-command-six-programs';
const CHANGED = '002-the-api-is-just-http';

/** Emits when the server has taken a change in. */
const heard = new EventEmitter();
let root = '';
let server: ViteDevServer;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'lessons-'));
  for (const lesson of [BROKEN, CHANGED]) {
    mkdirSync(join(root, lesson));
    copyFileSync(join('content/lessons', lesson, 'lesson.md'), join(root, lesson, 'lesson.md'));
  }
  server = await createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [viteLessons(), { name: 'heard', handleHotUpdate: () => void heard.emit('update') }],
    server: { middlewareMode: true, ws: false },
  });
});

afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

const compiled = async (lesson: string): Promise<string> =>
  (await server.transformRequest(`/${lesson}/lesson.md`))?.code ?? '';

/** Replaces a word and waits until the server has heard of it; gives the text as it was. */
const rewrite = async (lesson: string, word: string, by: string): Promise<string> => {
  const file = join(root, lesson, 'lesson.md');
  const text = readFileSync(file, 'utf8');
  const updated = once(heard, 'update');
  writeFileSync(file, text.replace(word, by));
  await updated;
  return text;
};

test('a lesson is loaded again when it is written', async () => {
  expect(await compiled(CHANGED)).toContain('"The API is just HTTP"');
  await rewrite(CHANGED, 'title: The API is just HTTP', 'title: It is HTTP');
  expect(await compiled(CHANGED)).toContain('"It is HTTP"');
});

test('a lesson that breaks names file, line and reason', async () => {
  expect(await compiled(BROKEN)).toContain('"One command, six programs"');
  const text = await rewrite(BROKEN, ':::run{id=first}', ':::quiz{id=first}');
  const line = text.split('\n').indexOf(':::run{id=first}') + 1;
  await expect(compiled(BROKEN)).rejects.toThrow(
    new RegExp(`${BROKEN}/lesson\\.md:${line}: :::quiz is not known`),
  );
});
