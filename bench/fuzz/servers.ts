/** The two RPC servers as processes meet them: hostile bytes on a unix socket, then a good call. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Version } from '../../apps/engine/src/protocol/gen/containerd/version_pb.ts';
import { Task } from '../../apps/engine/src/protocol/gen/task/shim-v2_pb.ts';
import { createGrpcChannel } from '../../apps/engine/src/transport/grpc-client.ts';
import { createGrpcServer } from '../../apps/engine/src/transport/grpc-server.ts';
import { createTtrpcChannel } from '../../apps/engine/src/transport/ttrpc-client.ts';
import { createTtrpcServer } from '../../apps/engine/src/transport/ttrpc-server.ts';
import { TTRPC_SAMPLE } from './frames.ts';
import { cuts, mutatedBytes, pieces } from './mutate.ts';
import { target, type Target } from './target.ts';

type Sent = readonly [Buffer, readonly number[]];

/** Connects, sends, hangs up. Resolves when the server has let go as well. */
export const sendAndLeave = (
  to: { readonly path: string } | { readonly port: number; readonly host: string },
  [bytes, at]: Sent,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(to);
    socket.once('connect', () => {
      for (const piece of pieces(bytes, at)) socket.write(piece);
      socket.end();
    });
    socket.resume();
    // A server that hangs up first is one way to refuse.
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'ECONNRESET') resolve();
      else reject(error);
    });
    socket.once('close', () => resolve());
  });

const http2Frame = (type: number, flags: number, stream: number, payload: Uint8Array): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
/** RFC 9113: the preface, SETTINGS, HEADERS (HPACK: POST, http, literals), DATA with one empty gRPC message. */
const literal = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from([0x00, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
const HTTP2_SAMPLE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  http2Frame(4, 0, 0, new Uint8Array(0)),
  http2Frame(
    1,
    4,
    1,
    Buffer.concat([
      Buffer.from([0x83, 0x86]),
      literal(':path', '/containerd.services.version.v1.Version/Version'),
      literal(':authority', 'localhost'),
      literal('content-type', 'application/grpc'),
      literal('grpc-timeout', '1S'),
    ]),
  ),
  http2Frame(0, 1, 1, new Uint8Array(5)),
]);

/** Waits until it is served, sends, and is gone without a word: node:http2 does not always notice. */
const sendAndVanish = (path: string, [bytes, at]: Sent): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('data', () => {
      for (const piece of pieces(bytes, at)) socket.write(piece);
      socket.end(() => socket.destroy());
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'ECONNRESET') resolve();
      else reject(error);
    });
    socket.once('close', () => resolve());
  });

const place = (name: string) => {
  const folder = mkdtempSync(join(tmpdir(), `fuzz-${name}-`));
  return {
    path: join(folder, 's.sock'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};

export const SERVERS: readonly Target[] = [
  target('ttrpc server', {
    perThousand: 20,
    inputs: fc.tuple(mutatedBytes(TTRPC_SAMPLE), cuts),
    open: async () => {
      const { path, remove } = place('ttrpc');
      const server = createTtrpcServer().add(Task, { state: async () => ({ id: 'x' }) });
      await server.listen(path);
      return {
        feed: (sent) => sendAndLeave({ path }, sent),
        stillServes: async () => {
          const channel = createTtrpcChannel({ socketPath: path, peer: 'shim' });
          await channel.client(Task).state({ id: 'x' });
          channel.close();
        },
        close: async () => {
          await server.close();
          remove();
        },
      };
    },
  }),
  target('gRPC server', {
    perThousand: 20,
    inputs: fc.tuple(mutatedBytes(HTTP2_SAMPLE), cuts),
    open: async () => {
      const { path, remove } = place('grpc');
      const server = createGrpcServer({ keepalive: { timeMs: 50, timeoutMs: 1000 } }).add(Version, {
        version: async () => ({ version: '1' }),
      });
      await server.listen(path);
      return {
        feed: (sent) => sendAndVanish(path, sent),
        stillServes: async () => {
          const channel = createGrpcChannel({ socketPath: path, peer: 'containerd' });
          await channel.client(Version).version({});
          channel.close();
          const deadline = Date.now() + 60_000;
          while (server.connections > 0) {
            if (Date.now() > deadline) throw new Error(`${server.connections} callers are kept`);
            await new Promise((resolve) => {
              setTimeout(resolve, 50);
            });
          }
        },
        close: async () => {
          await server.close(0);
          remove();
        },
      };
    },
  }),
];
