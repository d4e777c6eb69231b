/** gRPC, server and client, over a real unix socket. */
import { create } from '@bufbuild/protobuf';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../protocol/errdefs.ts';
import { Content } from '../protocol/gen/containerd/content_pb.ts';
import { Events } from '../protocol/gen/containerd/events_pb.ts';
import { Namespaces } from '../protocol/gen/containerd/namespaces_pb.ts';
import { Tasks } from '../protocol/gen/containerd/tasks_pb.ts';
import { Version } from '../protocol/gen/containerd/version_pb.ts';
import type { Message, TraceEvent } from '../protocol/trace/event.ts';
import { requestId, responseId, spanEndedId } from '../protocol/trace/event-id.ts';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { Tracer } from '../tracing/tracer.ts';
import { createGrpcChannel, type GrpcChannel } from './grpc-client.ts';
import { createGrpcServer, type GrpcServer } from './grpc-server.ts';

let directory: string;
let socketPath: string;
let events: TraceEvent[];
let server: GrpcServer;
let channel: GrpcChannel;

const exporter = {
  export: (event: TraceEvent) => void events.push(event),
  flush: () => Promise.resolve(),
  close: () => undefined,
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'grpc-'));
  socketPath = join(directory, 'c.sock');
  events = [];
  server = createGrpcServer({ tracer: new Tracer('containerd', exporter) });
  channel = createGrpcChannel({
    socketPath,
    tracer: new Tracer('dockerd', exporter),
    peer: 'containerd',
    namespace: 'moby',
  });
});

afterEach(async () => {
  channel.close();
  await server.close(0);
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

describe('unary calls', () => {
  it('carry the message, the namespace and the metadata', async () => {
    server.add(Namespaces, {
      get: async ({ name }, { namespace, metadata }) => ({
        namespace: { name: `${name}/${namespace}`, labels: { x: metadata.get('x') ?? '' } },
      }),
    });
    await server.listen(socketPath);
    const answer = await channel.client(Namespaces).get({ name: 'n' }, { metadata: { x: 'y' } });
    expect(answer.namespace).toMatchObject({ name: 'n/moby', labels: { x: 'y' } });
  });

  it('may be hundreds at once, long ones both ways', async () => {
    server.add(Namespaces, {
      get: async ({ name }) => ({ namespace: { name, labels: {} } }),
    });
    await server.listen(socketPath);
    const { get } = channel.client(Namespaces);
    const long = (index: number): string => String(index).padStart(12_000, '.');
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, index) => get({ name: long(index) })),
    );
    expect(answers.map(({ namespace }) => Number(namespace?.name.replaceAll('.', '')))).toEqual(
      Array.from({ length: 400 }, (_, index) => index),
    );
  });

  it('report errors with the kind and the words of a Go server, in any script', async () => {
    server.add(Namespaces, {
      get: () => Promise.reject(new EngineError('not_found', 'namespace "größe 100%"')),
      create: () => Promise.reject(new EngineError('unknown', 'OCI runtime create failed')),
      delete: () => Promise.reject(new Error('boom')),
    });
    await server.listen(socketPath);
    const client = channel.client(Namespaces);
    expect(await caught(client.get({}))).toMatchObject({
      kind: 'not_found',
      message: 'namespace "größe 100%": not found',
    });
    expect((await caught(client.create({}))).message).toBe('OCI runtime create failed: unknown');
    expect((await caught(client.delete({}))).kind).toBe('internal');
    expect(await caught(client.list({}))).toMatchObject({
      kind: 'not_implemented',
      message:
        'unknown method List for service containerd.services.namespaces.v1.Namespaces: not implemented',
    });
    expect((await caught(channel.client(Version).version({}))).message).toContain(
      'unknown service',
    );
  });

  it('move 10 MB each way and refuse more than the limit', async () => {
    server.add(Namespaces, {
      get: async ({ name }) => ({ namespace: { name } }),
      create: async () => ({ namespace: { name: 'x'.repeat(17 * 1024 * 1024) } }),
    });
    await server.listen(socketPath);
    const name = 'ü'.repeat(5_000_000);
    const answer = await channel.client(Namespaces).get({ name });
    expect(answer.namespace?.name).toBe(name);
    const tooLong = await caught(
      channel.client(Namespaces).get({ name: 'x'.repeat(17 * 1024 * 1024) }),
    );
    expect(tooLong.message).toContain('larger than max');
    expect((await caught(channel.client(Namespaces).create({}))).message).toContain(
      'larger than max',
    );
    expect((await channel.client(Namespaces).get({ name: 'still here' })).namespace?.name).toBe(
      'still here',
    );
  });

  it('end at the deadline, on both sides', async () => {
    let reason: unknown;
    server.add(Namespaces, {
      get: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason as Error);
          });
        }),
    });
    await server.listen(socketPath);
    expect((await caught(channel.client(Namespaces).get({}, { timeoutMs: 50 }))).kind).toBe(
      'deadline',
    );
    await expect.poll(() => reason).toBeInstanceOf(EngineError);
  });

  it('are cancelled by the caller, and the handler is told', async () => {
    const stop = new AbortController();
    const cancelled = new Promise<void>((resolve) => {
      server.add(Namespaces, {
        get: (_, { signal }) => {
          signal.addEventListener('abort', () => resolve());
          stop.abort();
          return new Promise(() => undefined);
        },
      });
    });
    await server.listen(socketPath);
    expect((await caught(channel.client(Namespaces).get({}, { signal: stop.signal }))).kind).toBe(
      'cancelled',
    );
    await cancelled;
  });
});

describe('streams', () => {
  it('carry many messages at the pace of the reader and stop when it leaves', async () => {
    let sent = 0;
    let returned = false;
    server.add(Content, {
      read: async function* () {
        try {
          for (; sent < 1000; sent += 1)
            yield { offset: BigInt(sent), data: new Uint8Array(1024 * 1024) };
        } finally {
          returned = true;
        }
      },
    });
    await server.listen(socketPath);
    let received = 0;
    for await (const { offset } of channel.client(Content).read({})) {
      expect(Number(offset)).toBe(received);
      received += 1;
      if (received === 3) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(sent).toBeLessThan(100);
        break;
      }
    }
    await expect.poll(() => returned).toBe(true);
    expect(sent).toBeLessThan(100);
  });

  it('speak in turn both ways', async () => {
    server.add(Content, {
      write: async function* (requests) {
        let offset = 0n;
        for await (const { data } of requests) {
          offset += BigInt(data.length);
          yield { offset };
        }
      },
    });
    await server.listen(socketPath);
    const heard: number[] = [];
    let hearNext: () => void = () => undefined;
    const requests = async function* () {
      for (const size of [1, 10, 100]) {
        const turn = new Promise<void>((resolve) => (hearNext = resolve));
        yield { data: new Uint8Array(size) };
        await turn;
      }
    };
    for await (const { offset } of channel.client(Content).write(requests())) {
      heard.push(Number(offset));
      hearNext();
    }
    expect(heard).toEqual([1, 11, 111]);
  });

  it('end with an error after some messages', async () => {
    server.add(Events, {
      subscribe: async function* () {
        yield { topic: '/tasks/start' };
        throw new EngineError('failed_precondition', 'enough');
      },
    });
    await server.listen(socketPath);
    const topics: string[] = [];
    const read = async () => {
      for await (const { topic } of channel.client(Events).subscribe({})) topics.push(topic);
    };
    expect((await caught(read())).kind).toBe('failed_precondition');
    expect(topics).toEqual(['/tasks/start']);
  });

  it('end as unavailable when the server dies', async () => {
    server.add(Events, {
      subscribe: async function* () {
        yield { topic: 'a' };
        await new Promise(() => undefined);
      },
    });
    await server.listen(socketPath);
    const read = async () => {
      for await (const _ of channel.client(Events).subscribe({})) await server.close(0);
    };
    expect((await caught(read())).kind).toBe('unavailable');
  });
});

describe('the connection', () => {
  it('is unavailable without a server, and comes back with it', async () => {
    const client = channel.client(Namespaces);
    const error = await caught(client.get({}));
    expect(error.kind).toBe('unavailable');
    expect(error.message).toContain(`dial unix ${socketPath}: connect: no such file or directory`);
    const handlers = { get: async () => ({ namespace: { name: 'back' } }) };
    await server.add(Namespaces, handlers).listen(socketPath);
    await client.get({});
    await server.close(0);
    await expect.poll(async () => (await caught(client.get({}))).kind).toBe('unavailable');
    server = createGrpcServer().add(Namespaces, handlers);
    await server.listen(socketPath);
    expect((await client.get({})).namespace?.name).toBe('back');
  });

  it('is not taken from a living server', async () => {
    await server.listen(socketPath);
    const second = createGrpcServer();
    expect((await caught(second.listen(socketPath))).message).toContain('address already in use');
  });

  it('survives hostile bytes', async () => {
    server.add(Namespaces, { get: async () => ({ namespace: { name: 'fine' } }) });
    await server.listen(socketPath);
    for (const garbage of [
      'GET / HTTP/1.1\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff',
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(socketPath);
        socket
          .on('close', () => resolve())
          .on('error', () => undefined)
          .resume();
        socket.end(garbage, 'latin1');
      });
    }
    // Well-formed HTTP/2, broken gRPC: compressed, too long, cut off, no protobuf.
    const path = '/containerd.services.namespaces.v1.Namespaces/Get';
    for (const body of [
      [1, 0, 0, 0, 0],
      [0, 255, 255, 255, 255],
      [0, 0, 0, 0, 9, 1],
      [0, 0, 0, 0, 2, 255, 255],
    ]) {
      const session = connectHttp2('http://localhost', {
        createConnection: () => connect(socketPath),
      });
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
      });
      const status = new Promise<unknown>((resolve) =>
        stream.on('response', (headers) => resolve(headers['grpc-status'])),
      );
      stream.on('error', () => undefined).resume();
      stream.end(Buffer.from(body));
      expect(Number(await status)).toBeGreaterThan(0);
      session.destroy();
    }
    expect((await channel.client(Namespaces).get({})).namespace?.name).toBe('fine');
  });
});

describe('the trace of a call', () => {
  it('has both spans and both messages, each naming its cause', async () => {
    const spec = create(AnySchema, {
      typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
      value: Buffer.from(
        JSON.stringify({ args: ['sh'], env: ['DB_PASSWORD=hunter2', 'PATH=/bin'] }),
      ),
    });
    const inner = new Tracer('containerd', exporter);
    server.add(Tasks, {
      exec: async () => {
        inner.startSpan('inside').end();
        return {};
      },
    });
    await server.listen(socketPath);
    const root = new Tracer('dockerd', exporter);
    await root.span('root', {}, () => channel.client(Tasks).exec({ containerId: 'c1', spec }));
    const started = events.filter((event) => event.type === 'spanStarted');
    const [rootSpan, client, serving, inside] = started;
    expect(started.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'internal root',
      'client containerd.services.tasks.v1.Tasks/Exec',
      'server containerd.services.tasks.v1.Tasks/Exec',
      'internal inside',
    ]);
    if (!rootSpan || !client || !serving || !inside) throw new Error('spans are missing');
    expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(1);
    expect(client.parentSpanId).toBe(rootSpan.spanId);
    expect(serving.parentSpanId).toBe(client.spanId);
    expect(serving.cause).toBe(requestId(client.spanId));
    expect(inside.parentSpanId).toBe(serving.spanId);
    const [request, response] = events.filter(
      (event): event is Message => event.type === 'message',
    );
    expect(request).toMatchObject({
      id: requestId(client.spanId),
      direction: 'request',
      level: 'step',
      summary: 'Tasks/Exec',
      from: { actor: 'dockerd' },
      to: { actor: 'containerd' },
      body: {
        containerId: 'c1',
        spec: { value: { args: ['sh'], env: ['DB_PASSWORD=•••', 'PATH=/bin'] } },
      },
    });
    expect(Buffer.from(request?.raw?.base64 ?? '', 'base64').toString()).not.toContain('hunter2');
    expect(response).toMatchObject({
      id: responseId(client.spanId),
      cause: spanEndedId(serving.spanId),
    });
  });

  it('shows failures, and is silent outside of any trace', async () => {
    server.add(Namespaces, {
      get: () => Promise.reject(new EngineError('not_found', 'namespace "x"')),
    });
    await server.listen(socketPath);
    await caught(channel.client(Namespaces).get({}));
    expect(events).toEqual([]);
    const root = new Tracer('dockerd', exporter);
    await caught(root.span('root', {}, () => channel.client(Namespaces).get({})));
    const ends = events.filter((event) => event.type === 'spanEnded');
    expect(ends.map(({ status }) => status.code)).toEqual(['error', 'error', 'error']);
    expect(
      events.find((event) => event.type === 'message' && event.direction === 'response'),
    ).toMatchObject({
      body: { code: 5, message: 'namespace "x": not found' },
    });
  });
});
