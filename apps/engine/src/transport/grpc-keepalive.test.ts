/** A caller that broke the protocol and left is let go; one that is only silent is not. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createGrpcServer, type GrpcServer } from './grpc-server.ts';

let folder: string;
let path: string;
let server: GrpcServer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grpc-keepalive-'));
  path = join(folder, 'c.sock');
});
afterEach(async () => {
  await server.close(0);
  rmSync(folder, { recursive: true });
});

/** RFC 9113: the preface, empty SETTINGS, and HEADERS whose name is longer than the block. */
const BROKEN_HEADERS = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
  Buffer.from([0, 0, 3, 1, 4, 0, 0, 0, 1, 0x00, 0x7e, 0x61]),
]);

test('a connection on which Node has given up does not stay for ever', async () => {
  server = createGrpcServer({ keepalive: { timeMs: 20, timeoutMs: 20 } });
  await server.listen(path);
  const caller = connect(path);
  caller.resume();
  caller.end(BROKEN_HEADERS);
  await once(caller, 'close');

  await expect.poll(() => server.connections, { timeout: 30_000 }).toBe(0);
});

test('a caller that has nothing to say is asked and stays', async () => {
  server = createGrpcServer({ keepalive: { timeMs: 20, timeoutMs: 50_000 } });
  await server.listen(path);
  const caller = connectHttp2('http://localhost', { createConnection: () => connect(path) });
  for (let asked = 0; asked < 3; asked += 1) await once(caller, 'ping');

  expect(server.connections).toBe(1);
  caller.close();
});
