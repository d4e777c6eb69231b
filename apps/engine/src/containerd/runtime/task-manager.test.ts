/** When a deletion is answered: the shim is a server in this process, and the test says when it tells the end. */
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnvelopeSchema } from '../../protocol/gen/containerd/envelope_pb.ts';
import { TaskDeleteSchema } from '../../protocol/gen/containerd/task-events_pb.ts';
import { Task as TaskService } from '../../protocol/gen/task/shim_pb.ts';
import { nullExporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { createTtrpcServer } from '../../transport/ttrpc-server.ts';
import { EventExchange } from '../events/exchange.ts';
import { Log } from '../log.ts';
import { Bundle } from './bundle.ts';
import { Exits } from './exits.ts';
import { OWN_SHIM, ShimBinary, type ShimSurroundings } from './shim-binary.ts';
import type { ShimStarter } from './shim-starter.ts';
import type { SpareKeeper } from './spare.ts';
import { connectTaskClient, type TaskClient } from './task-client.ts';
import { TaskManager } from './task-manager.ts';

const tracer = new Tracer('containerd', nullExporter);
let folder: string;
let close: (() => Promise<void>) | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'task-manager-'));
});
afterEach(async () => {
  await close?.();
  rmSync(folder, { recursive: true });
});

const theEnd = () =>
  create(EnvelopeSchema, {
    timestamp: timestampNow(),
    namespace: 'moby',
    topic: '/tasks/delete',
    event: {
      typeUrl: TaskDeleteSchema.typeName,
      value: toBinary(TaskDeleteSchema, create(TaskDeleteSchema, { containerId: 'c1', pid: 7 })),
    },
  });

/** A manager with one task, `c1`, whose shim leaves when `mayLeave` resolves. */
const withTask = async (mayLeave: Promise<void>) => {
  const server = createTtrpcServer().add(TaskService, {
    delete: () => Promise.resolve({ pid: 7, exitStatus: 3 }),
    shutdown: async () => {
      await mayLeave;
      setImmediate(() => void server.close());
      return {};
    },
  });
  close = () => server.close();
  const socketPath = join(folder, 's');
  await server.listen(socketPath);
  const client: TaskClient = connectTaskClient({
    bootstrap: { version: 3, protocol: 'ttrpc', address: `unix://${socketPath}` },
    namespace: 'moby',
    tracer,
    onDisconnect: () => undefined,
  });
  await client.connect();

  const folders = { state: join(folder, 'state'), root: join(folder, 'root') };
  const tasks = new TaskManager({
    folders,
    exits: new Exits(new EventExchange()),
    unmounter: { unmount: () => undefined },
    tracer,
    log: new Log('fatal'),
    // Nothing is started here.
    shims: {} as ShimStarter,
    spares: {} as SpareKeeper,
  });
  tasks.adopt({
    bundle: Bundle.create(folders, { namespace: 'moby', id: 'c1', config: Buffer.from('{}') }),
    binary: new ShimBinary(join(folder, OWN_SHIM), {} as ShimSurroundings),
    client,
    context: undefined,
    stopLog: () => undefined,
  });
  return tasks;
};

test('a deletion is answered after the end of the task has been told', async () => {
  const tasks = await withTask(new Promise(() => undefined));
  const order: string[] = [];

  const deleted = tasks.delete('moby', 'c1').then((exit) => {
    order.push('answered');
    return exit;
  });
  // The shim has answered: its task is gone, and it is asked to leave.
  while (tasks.has('moby', 'c1')) await new Promise(setImmediate);
  await new Promise(setImmediate);
  order.push('told');
  tasks.forward(theEnd());

  expect(await deleted).toMatchObject({ pid: 7, exitStatus: 3 });
  expect(order).toEqual(['told', 'answered']);
});

test('a deletion is answered when the shim has left without telling the end', async () => {
  const tasks = await withTask(Promise.resolve());

  expect(await tasks.delete('moby', 'c1')).toMatchObject({ pid: 7, exitStatus: 3 });
});
