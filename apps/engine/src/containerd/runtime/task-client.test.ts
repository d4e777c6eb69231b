/** A shim of each bootstrap, as a server in this process: what containerd says to it, and how it hears of its end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Task as TaskV2 } from '../../protocol/gen/task/shim-v2_pb.ts';
import { Task as TaskV3 } from '../../protocol/gen/task/shim_pb.ts';
import { nullExporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { createGrpcServer } from '../../transport/grpc-server.ts';
import { createTtrpcServer } from '../../transport/ttrpc-server.ts';
import { connectTaskClient } from './task-client.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'task-client-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Connect = (
  request: { readonly id: string },
  call: { readonly namespace: string },
) => Promise<{ shimPid: number }>;

const SHIMS = [
  ['ttrpc', 2, (connect: Connect) => createTtrpcServer().add(TaskV2, { connect })],
  ['ttrpc', 3, (connect: Connect) => createTtrpcServer().add(TaskV3, { connect })],
  ['grpc', 3, (connect: Connect) => createGrpcServer().add(TaskV3, { connect })],
] as const;

test.each(SHIMS)('%s, version %d', async (protocol, version, serve) => {
  const heard: unknown[] = [];
  const server = serve(({ id }, { namespace }) => {
    heard.push([id, namespace]);
    return Promise.resolve({ shimPid: 7 });
  });
  const socketPath = join(folder, 's');
  await server.listen(socketPath);

  let hungUp = 0;
  const client = connectTaskClient({
    bootstrap: { version, protocol, address: `unix://${socketPath}` },
    namespace: 'moby',
    tracer: new Tracer('containerd', nullExporter),
    onDisconnect: () => (hungUp += 1),
  });
  await client.connect();
  expect(await client.calls.connect({ id: 'c1' })).toMatchObject({ shimPid: 7 });
  expect(heard).toEqual([['c1', 'moby']]);

  expect(hungUp).toBe(0);
  const gone = client.disconnected();
  await server.close();
  await gone;
  expect(hungUp).toBe(1);
  await expect(client.calls.connect({ id: 'c1' })).rejects.toMatchObject({ kind: 'unavailable' });
  client.close();
});
