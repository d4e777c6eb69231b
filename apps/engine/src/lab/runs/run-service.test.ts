/** What all learners have together: a new learner is made by whoever throws their cookie away, and gets nothing by it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TraceStore } from '../collector/trace-store.ts';
import { GateKeeper } from '../gates/gate-keeper.ts';
import { LIMITS } from '../policy/limits.ts';
import { EngineClient } from './engine-client.ts';
import { RunService } from './run-service.ts';

let folder: string;
let store: TraceStore;
let runs: RunService;
let engine: Server;
/** How many the engine has of each, all of them of other learners. */
let count: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lab-runs-'));
  store = new TraceStore({ directory: join(folder, 'traces'), isAlive: () => false });
  await store.load();
  engine = createServer((request, response) => {
    const { searchParams, pathname } = new URL(request.url ?? '', 'http://engine');
    const isOfAll = (searchParams.get('filters') ?? '').includes('"engine-room.learner"');
    const list = Array.from({ length: isOfAll ? count : 0 }, (_, index) => ({
      Id: String(index),
      Labels: { 'engine-room.learner': 'old' },
      Created: 1,
    }));
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(pathname.endsWith('/volumes') ? { Volumes: list } : list));
  });
  const dockerSocket = join(folder, 'docker.sock');
  const dockerFile = join(folder, 'docker');
  writeFileSync(dockerFile, '#!/bin/sh\n[ "$1" = ps ] && exec sleep 1000\nexit 0\n', {
    mode: 0o755,
  });
  await new Promise<void>((resolve) => engine.listen(dockerSocket, resolve));
  runs = new RunService({
    store,
    gates: new GateKeeper({ folder }),
    engine: new EngineClient(dockerSocket),
    dockerFile,
    dockerSocket,
    traceSocket: join(folder, 'trace.sock'),
    clientHome: join(folder, 'clients'),
    execRoot: folder,
    labFolder: folder,
    proxySocket: () => Promise.resolve(''),
    whyNot: () => null,
    maxRuns: 1,
    onMove: () => undefined,
  });
});

afterEach(async () => {
  runs.close();
  await store.close();
  engine.closeAllConnections();
  engine.close();
  rmSync(folder, { recursive: true });
});

test.each([
  ['docker run busybox', LIMITS.all.containers],
  ['docker volume create one', LIMITS.all.volumes],
])('%s: not when all learners together have %d', async (command, most) => {
  count = most - 1;
  expect(await runs.run(command, { id: 'new' })).toHaveProperty('traceId');
  count = most;
  expect(await runs.run(command, { id: 'newer' })).toMatchObject({
    status: 429,
    message: expect.stringContaining('from nobody') as string,
  });
});

test('what ends a container does not wait behind those who want its place', async () => {
  const learner = { id: 'a' };
  const going = await runs.run('docker ps', learner);
  expect(going).toHaveProperty('traceId');
  const waiting = runs.run('docker images', learner);

  for (const end of ['docker stop mine', 'docker kill mine']) {
    // Its turn came, and then it was seen that the engine of this test has no such container.
    expect(await runs.run(end, learner)).toMatchObject({ status: 403 });
  }
  const first = await Promise.race([waiting, Promise.resolve('waits')]);
  expect(first).toBe('waits');
});
