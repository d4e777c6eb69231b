/** One real `docker run` through all its gates: at each of them it stands still, and what is frozen can be looked at. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SpanEvent } from '../../protocol/trace/event.ts';
import { HELD_EVENT, RELEASED_EVENT } from '../../protocol/trace/gate.ts';
import { isAlive } from '../process-info.ts';
import { aPlace, clearPlace, LabProcess, nothingStays } from '../testing/lab-process.ts';
import type { RunGates } from './gate-service.ts';

const place = aPlace();
let lab: LabProcess;

beforeAll(async () => {
  lab = await LabProcess.start(place);
}, 60_000);

afterAll(async () => {
  await lab.signal('SIGINT');
  await clearPlace(place);
}, 60_000);

const begin = async (command: string, gates: readonly string[]): Promise<string> => {
  const { status, json } = await lab.api('/run', { command, gates });
  expect(status, JSON.stringify(json)).toBe(202);
  return (json as { traceId: string }).traceId;
};

/** Resolves when the trace says that the gate holds; answers what the lab says of it then. */
const heldAt = async (traceId: string, gate: string): Promise<RunGates['held'][number]> => {
  await lab.frame((frame) =>
    frame.type === 'events' &&
    frame.traceId === traceId &&
    frame.events.some(
      (event) =>
        event.type === 'spanEvent' &&
        event.name === HELD_EVENT &&
        event.attributes['engineroom.gate'] === gate,
    )
      ? true
      : undefined,
  );
  return vi.waitFor(
    async () => {
      const { json } = await lab.api(`/runs/${traceId}/gates`);
      const { held } = json as RunGates;
      expect(held.map((each) => each.gate)).toEqual([gate]);
      // What has just said that it is held is on its way to stand still.
      expect(held[0]?.process?.state).not.toMatch(/^R/);
      return held[0] as RunGates['held'][number];
    },
    { timeout: 30_000 },
  );
};

const goOn = async (traceId: string): Promise<void> => {
  expect(await lab.api(`/runs/${traceId}/continue`, {})).toEqual({
    status: 202,
    json: { released: 1 },
  });
};

const ended = (traceId: string): Promise<number | null> =>
  lab.frame((frame) => {
    const traces =
      frame.type === 'hello' ? frame.traces : frame.type === 'trace' ? [frame.trace] : [];
    const trace = traces.find((each) => each.traceId === traceId && each.state === 'ended');
    return trace ? trace.exitCode : undefined;
  });

test('docker run stands still at each gate, and goes on', async () => {
  const gates = [
    'request-accepted',
    'shim-listening',
    'rootfs-mounted',
    'init/pivot_root',
    'created-not-started',
    'exited-not-reaped',
  ];
  const traceId = await begin(
    'docker run --network none --name held busybox sh -c "exit 7"',
    gates,
  );

  const accepted = await heldAt(traceId, 'request-accepted');
  expect(accepted.actor).toBe('dockerd');
  expect(accepted.process?.name).toBe('dockerd');
  expect(await lab.docker('ps', '-aq')).toBe('');
  await goOn(traceId);

  const listening = await heldAt(traceId, 'shim-listening');
  expect(listening.actor).toBe('containerd');
  expect(listening.process?.argv[0]).toContain('containerd-shim-engineroom-v2');
  expect(await lab.docker('ps', '-aq')).not.toBe('');
  await goOn(traceId);

  const mounted = await heldAt(traceId, 'rootfs-mounted');
  expect(mounted.process?.pid).toBe(listening.process?.pid);
  expect(mounted.process?.mounts.at(-1)).toMatchObject({ type: 'overlay' });
  await goOn(traceId);

  const pivoting = await heldAt(traceId, 'init/pivot_root');
  expect(pivoting.process).toMatchObject({ name: 'runc:[init]', state: 'S (sleeping)' });
  expect(pivoting.process?.pids.at(-1)).toBe(1);
  await goOn(traceId);

  const created = await heldAt(traceId, 'created-not-started');
  expect(created.process?.pid).toBe(pivoting.process?.pid);
  expect(created.process?.name).toBe('runc:[init]');
  expect(created.process?.ppid).toBe(listening.process?.pid);
  expect(created.process?.namespaces.filter(({ isOwn }) => isOwn).map(({ type }) => type)).toEqual(
    expect.arrayContaining(['pid', 'mnt', 'uts', 'ipc', 'net']),
  );
  expect(await lab.docker('inspect', '-f', '{{.State.Status}}', 'held')).toBe('created');
  await goOn(traceId);

  const exited = await heldAt(traceId, 'exited-not-reaped');
  expect(exited.process).toMatchObject({ pid: created.process?.pid, state: 'Z (zombie)' });
  expect(await lab.docker('inspect', '-f', '{{.State.Status}}', 'held')).toBe('running');
  await goOn(traceId);

  expect(await ended(traceId)).toBe(7);
  const told = (await lab.events(traceId)).filter(
    (event): event is SpanEvent & { seq: number } =>
      event.type === 'spanEvent' && [HELD_EVENT, RELEASED_EVENT].includes(event.name),
  );
  expect(
    told.filter(({ name }) => name === HELD_EVENT).map((e) => e.attributes['engineroom.gate']),
  ).toEqual(gates);
  expect(
    told
      .filter(({ name }) => name === RELEASED_EVENT)
      .map((e) => e.attributes['engineroom.gate.reason']),
  ).toEqual(gates.map(() => 'continue'));
  expect(existsSync(`${place.execRoot}/lab/gates/${traceId}`)).toBe(false);
  await lab.docker('rm', 'held');
});

test('a run that is stopped at a gate ends, and leaves nothing', async () => {
  const traceId = await begin('docker run --rm --network none busybox true', [
    'created-not-started',
  ]);
  const { process: init } = await heldAt(traceId, 'created-not-started');
  expect((await lab.api(`/runs/${traceId}/stop`, {})).status).toBe(202);
  await ended(traceId);
  expect(await lab.docker('ps', '-aq')).toBe('');
  expect(isAlive(init?.pid ?? 0)).toBe(false);
});

test('a gate of one run holds no other', async () => {
  const traceId = await begin('docker run --rm --network none busybox true', ['rootfs-mounted']);
  await heldAt(traceId, 'rootfs-mounted');
  expect((await lab.run('docker run --rm --network none busybox true')).exitCode).toBe(0);
  expect(readFileSync(`${place.execRoot}/lab/containerd.log`, 'utf8')).not.toContain('panic');
  await goOn(traceId);
  expect(await ended(traceId)).toBe(0);
});

/** Ctrl+C: what is held is no running container yet, and no client is left that could end it. */
test.for(['rootfs-mounted', 'created-not-started'])(
  'a lab that is stopped while it holds a run at %s leaves nothing',
  async (gate) => {
    const traceId = await begin('docker run --rm busybox sleep 1000', [gate]);
    const { pid, subjectPid } = await heldAt(traceId, gate);
    expect(await lab.signal('SIGTERM')).toBe(0);
    try {
      // A zombie may stay: to collect it is the work of whatever is process 1 of the machine.
      expect([pid, subjectPid].filter((each) => isAlive(each))).toEqual([]);
      await nothingStays(place);
    } finally {
      lab = await LabProcess.start(place);
    }
    expect(await lab.docker('ps', '-aq')).toBe('');
  },
);
