/** What a writer sees while `npx vite` runs: the lesson, the place of a fault, and the lesson again when it is mended. */
import { EventEmitter, once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServer, type ViteDevServer } from 'vite';
import { viteLessons } from './vite-lessons.ts';

const LESSON = 'content/lessons/001-one-command-six-programs/lesson.md';
const ID = '/001-one-command-six-programs/lesson.md';

/** Emits when the server has taken a change in. */
const heard = new EventEmitter();
let root = '';
let server: ViteDevServer;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'lessons-'));
  mkdirSync(join(root, '001-one-command-six-programs'));
  copyFileSync(LESSON, join(root, ID));
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

const compiled = async (): Promise<string> => (await server.transformRequest(ID))?.code ?? '';
const write = async (text: string): Promise<void> => {
  const updated = once(heard, 'update');
  writeFileSync(join(root, ID), text);
  await updated;
};

test('a lesson is loaded again when it is written, and a broken one names file, line and reason', async () => {
  const text = readFileSync(LESSON, 'utf8');
  expect(await compiled()).toContain('"One command, six programs"');

  const line = text.split('\n').indexOf(':::run{id=first}') + 1;
  await write(text.replace(':::run{id=first}', ':::quiz{id=first}'));
  await expect(compiled()).rejects.toThrow(
    new RegExp(`001-one-command-six-programs/lesson\\.md:${line}: :::quiz is not known`),
  );

  await write(text.replace('title: One command', 'title: One line'));
  expect(await compiled()).toContain('"One line, six programs"');
});
