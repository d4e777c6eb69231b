import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import express from 'express';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packedFiles } from './packed-files.ts';

let folder: string;
let server: Server;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'packed-files-'));
  writeFileSync(join(folder, 'a.js'), 'alert(1)');
  writeFileSync(join(folder, 'a.js.gz'), gzipSync('alert(1)'));
  writeFileSync(join(folder, 'plain.js'), 'alert(2)');
  writeFileSync(join(folder, 'run.trace.gz'), gzipSync('{}'));
  const app = express();
  app.use('/assets', packedFiles(folder), express.static(folder, { fallthrough: false }));
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => {
    server.once('listening', resolve);
  });
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const ask = async (
  path: string,
  accepted?: string,
): Promise<{ response: IncomingMessage; body: Buffer }> => {
  const { port } = server.address() as AddressInfo;
  const headers = accepted === undefined ? {} : { 'Accept-Encoding': accepted };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, headers, agent: false }, resolve).on('error', reject);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { response, body: Buffer.concat(chunks) };
};

test('who takes gzip gets the packed script, as a script', async () => {
  const { response, body } = await ask('/assets/a.js', 'gzip, deflate, br');

  expect(response.headers['content-encoding']).toBe('gzip');
  expect(response.headers['content-type']).toMatch(/^text\/javascript/);
  expect(response.headers.vary).toBe('Accept-Encoding');
  expect(gunzipSync(body).toString()).toBe('alert(1)');
});

test.each([undefined, 'identity', 'br', 'gzip;q=0'])(
  'who asks with %s gets it plain, and no cache mistakes one for the other',
  async (accepted) => {
    const { response, body } = await ask('/assets/a.js', accepted);

    expect(response.headers['content-encoding']).toBeUndefined();
    expect(response.headers.vary).toBe('Accept-Encoding');
    expect(body.toString()).toBe('alert(1)');
  },
);

test('what was not packed, or is packed by nature, goes as it is', async () => {
  expect((await ask('/assets/plain.js', 'gzip')).body.toString()).toBe('alert(2)');
  const { response } = await ask('/assets/run.trace.gz', 'gzip');
  expect(response.headers['content-encoding']).toBeUndefined();
  expect((await ask('/assets/none.js', 'gzip')).response.statusCode).toBe(404);
});
