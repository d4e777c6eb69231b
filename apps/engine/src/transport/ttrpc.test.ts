/** ttrpc, server and client, over a real unix socket, and hostile bytes. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../protocol/errdefs.ts';
import { Task } from '../protocol/gen/task/shim_pb.ts';
import { Task as TaskV2 } from '../protocol/gen/task/shim-v2_pb.ts';
import { RequestSchema, ResponseSchema, type Response } from '../protocol/gen/task/ttrpc_pb.ts';
import type { TraceEvent } from '../protocol/trace/event.ts';
import { requestId } from '../protocol/trace/event-id.ts';
import { Tracer } from '../tracing/tracer.ts';
import { createTtrpcChannel, type TtrpcChannel } from './ttrpc-client.ts';
import { encodeTtrpcFrame, REQUEST, TtrpcFrameReader } from './ttrpc-frame.ts';
import { createTtrpcServer, type TtrpcServer } from './ttrpc-server.ts';

let directory: string;
let socketPath: string;
let events: TraceEvent[];
let server: TtrpcServer;
let channel: TtrpcChannel;
let disconnects: number;

const exporter = {
  export: (event: TraceEvent) => void events.push(event),
  flush: () => Promise.resolve(),
  close: () => undefined,
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ttrpc-'));
  socketPath = join(directory, 't.sock');
  events = [];
  disconnects = 0;
  server = createTtrpcServer({ tracer: new Tracer('shim', exporter) });
  channel = createTtrpcChannel({
    socketPath,
    tracer: new Tracer('containerd', exporter),
    peer: 'shim',
    namespace: 'moby',
    onDisconnect: () => (disconnects += 1),
  });
});

afterEach(async () => {
  channel.close();
  await server.close();
  rmSync(directory, { recursive: true });
});

const caught = async (work: Promise<unknown>): Promise<EngineError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('expected an error');
};

/** Speaks raw frames and collects the answers by stream. */
class RawPeer {
  readonly answers = new Map<number, Response>();
  readonly socket: Socket;
  readonly #reader = new TtrpcFrameReader();
  constructor() {
    this.socket = connect(socketPath);
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      for (let frame = this.#reader.next(); frame; frame = this.#reader.next())
        if (frame.payload)
          this.answers.set(frame.streamId, fromBinary(ResponseSchema, frame.payload));
    });
  }
  ask(streamId: number, service = 'containerd.task.v2.Task', method = 'Pids'): void {
    this.socket.write(
      encodeTtrpcFrame(
        streamId,
        REQUEST,
        toBinary(RequestSchema, create(RequestSchema, { service, method })),
      ),
    );
  }
}

describe('calls', () => {
  it('carry message, namespace and metadata, many at once and answered out of order', async () => {
    server.add(TaskV2, {
      connect: async ({ id }, { namespace, metadata }) => {
        if (id === '0') await new Promise((resolve) => setTimeout(resolve, 30));
        return { shimPid: Number(id), version: `${namespace} ${metadata.get('x') ?? ''}` };
      },
    });
    await server.listen(socketPath);
    const client = channel.client(TaskV2);
    const order: number[] = [];
    const ids = Array.from({ length: 200 }, (_, index) => index);
    await Promise.all(
      ids.map(async (id) => {
        const { shimPid, version } = await client.connect(
          { id: String(id) },
          { metadata: { x: 'y' } },
        );
        expect(shimPid).toBe(id);
        expect(version).toBe('moby y');
        order.push(shimPid);
      }),
    );
    expect(order.at(-1)).toBe(0);
  });

  it('serve both versions, and say Unimplemented with code 12', async () => {
    const handlers = { connect: async () => ({ version: 'v' }) };
    server.add(Task, handlers).add(TaskV2, handlers);
    await server.listen(socketPath);
    expect((await channel.client(Task).connect({})).version).toBe('v');
    expect((await channel.client(TaskV2).connect({})).version).toBe('v');
    expect((await caught(channel.client(Task).checkpoint({}))).kind).toBe('not_implemented');
    const raw = new RawPeer();
    raw.ask(1, 'nobody', 'Nothing');
    await expect.poll(() => raw.answers.get(1)?.status?.code).toBe(12);
    raw.socket.destroy();
  });

  it('end at the deadline and by the caller, and tell the handler', async () => {
    const reasons: unknown[] = [];
    server.add(Task, {
      wait: (_, { signal }) =>
        new Promise(() => signal.addEventListener('abort', () => reasons.push(signal.reason))),
    });
    await server.listen(socketPath);
    const client = channel.client(Task);
    expect((await caught(client.wait({}, { timeoutMs: 30 }))).kind).toBe('deadline');
    await expect.poll(() => reasons).toMatchObject([{ kind: 'deadline' }]);
    const stop = new AbortController();
    const waiting = caught(client.wait({}, { signal: stop.signal }));
    stop.abort();
    expect((await waiting).kind).toBe('cancelled');
  });

  it('fail as unavailable when the server goes, and work when it is back', async () => {
    server.add(Task, {
      wait: () => new Promise(() => undefined),
      connect: async () => ({ version: '1' }),
    });
    expect((await caught(channel.client(Task).connect({}))).kind).toBe('unavailable');
    await server.listen(socketPath);
    await channel.client(Task).connect({});
    const waiting = caught(channel.client(Task).wait({}));
    await server.close();
    expect(await waiting).toMatchObject({ kind: 'unavailable' });
    await expect.poll(() => disconnects).toBe(1);
    server = createTtrpcServer().add(Task, { connect: async () => ({ version: '2' }) });
    await server.listen(socketPath);
    expect((await channel.client(Task).connect({})).version).toBe('2');
  });

  it('continue the trace of the caller', async () => {
    server.add(Task, { create: async () => ({ pid: 7 }) });
    await server.listen(socketPath);
    const root = new Tracer('containerd', exporter);
    await root.span('root', {}, () => channel.client(Task).create({ id: 'c', bundle: '/b' }));
    const [, client, serving] = events.filter((event) => event.type === 'spanStarted');
    expect(serving?.parentSpanId).toBe(client?.spanId);
    expect(serving?.cause).toBe(requestId(client?.spanId ?? ''));
    const messages = events.filter((event) => event.type === 'message');
    expect(
      messages.map(({ direction, level, summary, body }) => ({ direction, level, summary, body })),
    ).toEqual([
      {
        direction: 'request',
        level: 'chapter',
        summary: 'Task/Create',
        body: { id: 'c', bundle: '/b' },
      },
      { direction: 'response', level: 'detail', summary: 'Task/Create answered', body: { pid: 7 } },
    ]);
  });
});

describe('hostile peers', () => {
  beforeEach(async () => {
    server.add(TaskV2, {
      pids: async () => ({ processes: [] }),
      connect: async () => ({ version: 'alive' }),
    });
    await server.listen(socketPath);
  });

  it('get an error for each bad frame and an answer for the good one after it', async () => {
    const raw = new RawPeer();
    raw.ask(2); // even
    raw.socket.write(encodeTtrpcFrame(3, REQUEST, Buffer.from([0xff, 0xff]))); // no protobuf
    raw.socket.write(encodeTtrpcFrame(5, 99, Buffer.from('?'))); // no type
    const tooLong = Buffer.alloc(10);
    tooLong.writeUInt32BE(5 * 1024 * 1024, 0);
    tooLong.writeUInt32BE(7, 4);
    tooLong.writeUInt8(REQUEST, 8);
    raw.socket.write(tooLong);
    raw.socket.write(Buffer.alloc(5 * 1024 * 1024, 1));
    raw.ask(9);
    await expect.poll(() => raw.answers.get(9)?.status?.code).toBe(0);
    expect(raw.answers.get(2)?.status?.code).toBe(3);
    expect(raw.answers.get(3)?.status?.code).toBe(3);
    expect(raw.answers.get(7)?.status?.code).toBe(8);
    expect(raw.answers.has(5)).toBe(false);
    raw.socket.destroy();
  });

  it('cannot stop the server with any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await new Promise<void>((resolve) => {
          const socket = connect(socketPath, () => socket.end(bytes));
          socket
            .on('close', () => resolve())
            .on('error', () => undefined)
            .resume();
        });
      }),
      { numRuns: 200 },
    );
    expect((await channel.client(TaskV2).connect({})).version).toBe('alive');
  });
});

describe('frames', () => {
  it('come out as they went in, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0xffffffff), fc.uint8Array({ maxLength: 40 })), { maxLength: 8 }),
        fc.integer({ min: 1, max: 30 }),
        (frames, size) => {
          const bytes = Buffer.concat(
            frames.map(([id, payload]) => encodeTtrpcFrame(id, REQUEST, payload)),
          );
          const reader = new TtrpcFrameReader();
          const out: [number, number[]][] = [];
          for (let at = 0; at < bytes.length; at += size) {
            reader.push(bytes.subarray(at, at + size));
            for (let frame = reader.next(); frame; frame = reader.next())
              out.push([frame.streamId, [...(frame.payload ?? [])]]);
          }
          expect(out).toEqual(frames.map(([id, payload]) => [id, [...payload]]));
        },
      ),
    );
  });
});
