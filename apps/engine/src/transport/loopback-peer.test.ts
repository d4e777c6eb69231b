/** Asked of the kernel about real connections of real processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { pidOfLoopbackPeer } from './loopback-peer.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server at the address, and the process that has connected to it. */
const connected = async (host: string, to: string): Promise<{ pid: number; socket: Socket }> => {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, ['-e', `require('net').connect(${port}, '${to}')`]);
  const [socket] = (await once(server, 'connection')) as [Socket];
  closing.push(() => {
    socket.destroy();
    server.close();
    child.kill('SIGKILL');
  });
  return { pid: child.pid ?? 0, socket };
};

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::', '127.0.0.1'],
])('a process that has connected to %s is found', async (host, to) => {
  const { pid, socket } = await connected(host, to);
  expect(pidOfLoopbackPeer(socket)).toBe(pid);
});

test('one that has gone, and one of another machine, is nobody', async () => {
  const { socket } = await connected('127.0.0.1', '127.0.0.1');
  const { localAddress, localPort, remotePort } = socket;
  expect(
    pidOfLoopbackPeer({ localAddress, localPort, remoteAddress: '192.0.2.7', remotePort }),
  ).toBeNull();
  expect(
    pidOfLoopbackPeer({ localAddress, localPort, remoteAddress: '127.0.0.1', remotePort: 1 }),
  ).toBeNull();
});
