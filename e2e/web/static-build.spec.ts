/** `npm run build:static`: the page on a plain web host, in a folder, with its recorded run and no engine. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { EngineRoomPage } from '../support/page.ts';

const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const FOLDER = '/some/folder/';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
};

test('it works in any folder of any web host, and asks for no engine', async ({
  page,
}, testInfo) => {
  const out = testInfo.outputPath('site');
  await promisify(execFile)(
    process.execPath,
    ['node_modules/vite/bin/vite.js', 'build', '--mode', 'static', '--base', './', '--outDir', out],
    { cwd: REPOSITORY, timeout: 100_000 },
  );
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://host').pathname);
    const name = path.startsWith(FOLDER) ? path.slice(FOLDER.length) || 'index.html' : '';
    readFile(join(out, name)).then(
      (body) => {
        response.setHeader('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream');
        response.end(body);
      },
      () => {
        response.statusCode = 404;
        response.end();
      },
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  const room = new EngineRoomPage(page);
  try {
    await page.goto(`http://127.0.0.1:${port}${FOLDER}`);
    await expect(room.caption).toContainText('This is a recorded run.');
    await expect(page.getByText(/Recorded runs: this page has no engine/).first()).toBeVisible();
    await page.getByRole('button', { name: 'Next step' }).click();
    await page.getByText('The code that did it').click();
    await expect(page.locator('.source-line[data-marked=true]')).toBeVisible();

    expect(asked.filter((url) => !url.includes(FOLDER))).toEqual([]);
    expect(room.errors).toEqual([]);
  } finally {
    server.close();
  }
});
