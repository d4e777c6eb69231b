import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TraceStore } from '../collector/trace-store.ts';
import { GateKeeper } from '../gates/gate-keeper.ts';
import { GateService } from '../gates/gate-service.ts';
import { TRACE } from '../testing/events.ts';
import { testRooms } from '../testing/rooms.ts';
import { Gateway } from './gateway.ts';

let folder: string;
let store: TraceStore;
let keeper: GateKeeper;
let gateway: Gateway;
let base: string;
let runs: (readonly string[])[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-routes-'));
  store = new TraceStore({ directory: join(folder, 'traces'), isAlive: () => true });
  keeper = new GateKeeper({ folder: join(folder, 'gates') });
  await keeper.listen();
  runs = [];
  gateway = new Gateway({
    rooms: testRooms(folder, store),
    host: '127.0.0.1',
    port: 0,
    token: 'secret',
    webRoot: folder,
    backend: {
      store,
      engine: () => ({
        canLaunch: true,
        reason: null,
        daemons: [],
        dockerSocket: '',
        limits: { maxContainers: 1, runTimeoutMs: 1 },
      }),
      run: (_command, _learner, gates) => {
        runs.push(gates);
        return Promise.resolve({ traceId: TRACE, pid: 1, argv: [], injected: [] });
      },
      check: () => Promise.resolve({ observations: [] }),
      stop: () => Promise.resolve(false),
      fault: () => Promise.resolve({ status: 409, message: '' }),
      gates: new GateService(keeper, (traceId) => traceId === TRACE),
    },
  });
  base = `http://127.0.0.1:${await gateway.listen()}/api`;
});

afterEach(async () => {
  await gateway.close();
  await keeper.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const ask = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { Authorization: 'Bearer secret', 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as unknown };
};

const GATES = ['created-not-started', 'init/pivot_root', 'init/mount#3'];
const NO_GATES = ['nowhere', 'init/../x', 'init/mount#0', '', 'constructor'];

test('gates are set in a run of one’s own', async () => {
  const set = await ask('PUT', `/runs/${TRACE}/gates`, { gates: GATES });
  expect(set).toEqual({ status: 200, json: { set: GATES, held: [] } });
  expect(await ask('GET', `/runs/${TRACE}/gates`)).toEqual(set);
  expect(await ask('POST', `/runs/${TRACE}/continue`, {})).toEqual({
    status: 202,
    json: { released: 0 },
  });
  await ask('PUT', `/runs/${TRACE}/gates`, { gates: [] });
  expect(keeper.gatesOf(TRACE)).toEqual([]);
});

test('another’s run is none', async () => {
  const other = 'f'.repeat(32);
  expect((await ask('PUT', `/runs/${other}/gates`, { gates: GATES })).status).toBe(404);
  expect((await ask('GET', `/runs/${other}/gates`)).status).toBe(404);
  expect((await ask('POST', `/runs/${other}/continue`, {})).status).toBe(404);
  expect(keeper.gatesOf(other)).toEqual([]);
});

test('what is no gate, or too many, is refused and changes nothing', async () => {
  await ask('PUT', `/runs/${TRACE}/gates`, { gates: GATES });
  const bodies = [
    ...NO_GATES.map((gate) => ({ gates: [gate] })),
    { gates: Array(9).fill('init/mount') as string[] },
    { gates: 'init/mount' },
    {},
  ];
  for (const body of bodies) {
    const { status } = await ask('PUT', `/runs/${TRACE}/gates`, body);
    expect(status, JSON.stringify(body)).toBe(400);
  }
  expect(keeper.gatesOf(TRACE)).toEqual(GATES);
});

test('a request brings its gates; one with a gate that does not exist is not begun', async () => {
  expect((await ask('POST', '/run', { command: 'docker ps', gates: GATES })).status).toBe(202);
  expect((await ask('POST', '/run', { command: 'docker ps' })).status).toBe(202);
  for (const gate of NO_GATES)
    expect((await ask('POST', '/run', { command: 'docker ps', gates: [gate] })).status).toBe(400);
  expect(runs).toEqual([GATES, []]);
});

test('without the token there is no gate', async () => {
  for (const path of ['/gates', `/runs/${TRACE}/gates`])
    expect((await fetch(`${base}${path}`)).status).toBe(401);
});
