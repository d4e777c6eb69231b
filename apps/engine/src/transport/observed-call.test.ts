/** What a gRPC server tells of a caller that tells nothing itself: over a real socket, from the real process behind it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineError } from '../protocol/errdefs.ts';
import { Tasks } from '../protocol/gen/containerd/tasks_pb.ts';
import { Version } from '../protocol/gen/containerd/version_pb.ts';
import type { TraceEvent } from '../protocol/trace/event.ts';
import { Tracer } from '../tracing/tracer.ts';
import { ClientProcesses, CONTAINERD_CLIENTS, readProcess } from './client-processes.ts';
import { createGrpcChannel, type GrpcChannel } from './grpc-client.ts';
import { createGrpcServer, type GrpcServer } from './grpc-server.ts';

const EXIT_FD = 1000;
/** As grpc-go calls itself. */
const SOMEBODY = { metadata: { 'user-agent': 'grpc-go/1.50' } };

let folder: string;
let events: TraceEvent[];
let server: GrpcServer;
let channel: GrpcChannel;
let tellExit: () => void;

const start = async (isCommand: boolean): Promise<void> => {
  const exporter = {
    export: (event: TraceEvent) => void events.push(event),
    flush: () => Promise.resolve(),
    close: () => undefined,
  };
  const tracer = new Tracer('containerd', exporter);
  const calls = {
    peerCredentials: () => ({ pid: process.pid, uid: 0, gid: 0 }),
    pidfdOpen: () => EXIT_FD,
    watchReadable: (_: number, onReadable: () => void) => {
      tellExit = onReadable;
      return () => undefined;
    },
    close: () => undefined,
  };
  const kind = { ...CONTAINERD_CLIENTS, isCommand: () => isCommand };
  server = createGrpcServer({ tracer, clients: new ClientProcesses(tracer, calls, kind) });
  server.add(Version, { version: async () => ({ version: '1' }) });
  server.add(Tasks, {
    create: async () => ({ containerId: 'box', pid: 7 }),
    start: () => Promise.reject(new EngineError('not_found', 'task box')),
  });
  const socketPath = join(folder, 'c.sock');
  await server.listen(socketPath);
  channel = createGrpcChannel({ socketPath, peer: 'containerd', namespace: 'default' });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'observed-'));
  events = [];
});
afterEach(async () => {
  channel.close();
  await server.close(0);
  rmSync(folder, { recursive: true });
});

const messages = () =>
  events.flatMap((event) =>
    event.type === 'message' ? [`${event.from.actor} → ${event.to.actor}: ${event.summary}`] : [],
  );

test('one command is one trace: its start, each call and answer, and its end, each because of the one before', async () => {
  await start(true);

  await channel.client(Version).version({}, SOMEBODY);
  await channel.client(Tasks).create({ containerId: 'box' }, SOMEBODY);
  await expect(channel.client(Tasks).start({ containerId: 'box' }, SOMEBODY)).rejects.toThrow(
    'task box',
  );
  tellExit();

  expect(messages()).toEqual([
    'client → containerd: Version/Version',
    'containerd → client: Version/Version answered',
    'client → containerd: Tasks/Create',
    'containerd → client: Tasks/Create answered',
    'client → containerd: Tasks/Start',
    'containerd → client: Tasks/Start failed: task box',
  ]);
  expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(1);
  const [born] = events;
  expect(born).toMatchObject({
    type: 'process',
    change: 'exec',
    actor: 'client',
    process: { pid: process.pid, startTime: readProcess(process.pid)?.startTime },
  });
  expect(events.find((event) => event.type === 'process' && event.change === 'exit')).toBeDefined();
  const ids = new Set(events.map(({ id }) => id));
  const roots = events.filter(({ cause }) => cause === null || !ids.has(cause));
  expect(roots).toEqual([born]);
  const create = events.find(
    (event) => event.type === 'message' && event.body !== null && event.summary === 'Tasks/Create',
  );
  expect(create).toMatchObject({ level: 'chapter', body: { containerId: 'box' } });
});

test('of a program that lives long, what it does is told, each call as a trace of its own, and what it asks is not', async () => {
  await start(false);

  await channel.client(Version).version({}, SOMEBODY);
  await channel.client(Tasks).create({ containerId: 'box' }, SOMEBODY);
  await channel.client(Tasks).create({ containerId: 'box' }, SOMEBODY);

  expect(messages().filter((line) => line.includes('Version'))).toEqual([]);
  expect(messages()).toHaveLength(4);
  expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(2);
});

test('our own clients tell their calls themselves', async () => {
  await start(true);

  await channel.client(Version).version({});

  expect(events).toEqual([]);
});

test('only containerd’s own command lines are commands', async () => {
  const child = spawn('sleep', ['100']);
  await start(true);
  const sleep = readProcess(child.pid ?? 0);
  child.kill('SIGKILL');

  expect(sleep?.executable).toMatch(/\/(sleep|coreutils|busybox)$/);
  expect(sleep && CONTAINERD_CLIENTS.isCommand(sleep)).toBe(false);
  expect(sleep && CONTAINERD_CLIENTS.isCommand({ ...sleep, executable: '/usr/bin/ctr' })).toBe(
    true,
  );
});
