/** Real signals to real daemons, shims and containers, and what the trace says of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SequencedEvent } from '../../protocol/trace/event.ts';
import type { Fault, FaultAccepted } from '../../protocol/trace/fault.ts';
import { isAlive, processInfo } from '../process-info.ts';
import { aPlace, clearPlace, LabProcess, nothingStays } from '../testing/lab-process.ts';

const place = aPlace();
let lab: LabProcess;

beforeAll(async () => {
  lab = await LabProcess.start(place);
}, 60_000);
afterAll(() => clearPlace(place), 60_000);

interface Victim {
  readonly id: string;
  readonly traceId: string;
  readonly init: number;
  readonly shim: number;
  readonly startTime: string | undefined;
}

/** A container of the learner's; `program` decides how it takes a SIGTERM. */
const aContainer = async (
  program = 'trap exit TERM; while :; do sleep 0.1; done',
): Promise<Victim> => {
  const summary = await lab.run(`docker run -d --network none busybox sh -c '${program}'`);
  const [id = ''] = summary.containerIds;
  const init = Number(await lab.docker('inspect', '-f', '{{.State.Pid}}', id));
  const { ppid = 0, startTime } = processInfo(init) ?? {};
  return { id, traceId: summary.traceId, init, shim: ppid, startTime };
};

/** Asks for the fault and resolves with the trace's events when the lab has told its end. */
const breakIt = async (
  fault: Fault,
  { id, traceId }: Pick<Victim, 'id' | 'traceId'>,
): Promise<readonly SequencedEvent[]> => {
  let told: FaultAccepted | null = null;
  const isEnd = (event: SequencedEvent): boolean =>
    event.type === 'spanEnded' && `${event.spanId}/request` === told?.eventId;
  const seen: SequencedEvent[] = [];
  await lab.frame(
    (frame) => {
      if (frame.type === 'events' && frame.traceId === traceId) seen.push(...frame.events);
      return seen.some(isEnd) ? true : undefined;
    },
    async () => {
      // Patience is what the refusal asks for.
      for (;;) {
        const container =
          fault.endsWith('shim') || fault.endsWith('container') ? { container: id } : {};
        const { status, json } = await lab.api('/faults', { fault, ...container });
        if (status === 202) {
          told = json as FaultAccepted;
          expect(told.traceIds).toContain(traceId);
          return;
        }
        if (status !== 429) throw new Error(JSON.stringify(json));
        await new Promise((resolve) => {
          setTimeout(resolve, 1000);
        });
      }
    },
  );
  return lab.events(traceId);
};

const momentsOf = (events: readonly SequencedEvent[], name: string) =>
  events.flatMap((event) => (event.type === 'spanEvent' && event.name === name ? [event] : []));
const changesOf = (events: readonly SequencedEvent[], actor: string, change: string) =>
  events.flatMap((event) =>
    event.type === 'process' && event.actor === actor && event.change === change ? [event] : [],
  );

test.each(['dockerd', 'containerd'] as const)(
  'kill %s: it dies of SIGKILL, comes back, and the container is the same process',
  async (actor) => {
    const victim = await aContainer();
    const before = lab.pidOf(actor);

    const events = await breakIt(`kill-${actor}`, victim);

    const signal = events.find((event) => event.type === 'message' && event.protocol === 'signal');
    expect(signal).toMatchObject({
      summary: 'SIGKILL',
      level: 'chapter',
      from: { actor: 'lab' },
      to: { actor, pid: before },
    });
    const [death] = changesOf(events, actor, 'exit');
    expect(death).toMatchObject({ cause: signal?.id, exit: { signal: 'SIGKILL', code: 137 } });
    const [birth] = changesOf(events, actor, 'fork');
    expect(birth).toMatchObject({ cause: death?.id });
    expect(lab.pidOf(actor)).toBe(birth?.process.pid);
    const lives = momentsOf(events, 'process lives on').map(({ attributes }) => attributes);
    expect(lives).toEqual([
      expect.objectContaining({
        'engineroom.process.actor': 'container',
        'process.pid': victim.init,
        'process.parent_pid': victim.shim,
        'engineroom.process.start_time': victim.startTime,
      }),
      expect.objectContaining({ 'engineroom.process.actor': 'shim', 'process.pid': victim.shim }),
      expect.objectContaining({
        'engineroom.process.actor': actor === 'dockerd' ? 'containerd' : 'dockerd',
      }),
    ]);
    const readopted = actor === 'dockerd' ? 'container adopted' : 'reconnected to shim';
    expect(momentsOf(events, readopted)).toHaveLength(1);
    expect(processInfo(victim.init)?.startTime).toBe(victim.startTime);
    await lab.docker('rm', '-f', victim.id);
  },
);

test('kill the shim: its container goes with it, and containerd says so', async () => {
  const victim = await aContainer();

  const events = await breakIt('kill-shim', victim);

  expect(changesOf(events, 'shim', 'exit')[0]).toMatchObject({ process: { pid: victim.shim } });
  expect(momentsOf(events, 'process is gone')).toHaveLength(1);
  expect(isAlive(victim.init)).toBe(false);
  await lab.docker('wait', victim.id);
  expect(await lab.docker('inspect', '-f', '{{.State.Status}}', victim.id)).toBe('exited');
  await lab.docker('rm', victim.id);
});

test('kill the container: the shim sees the exit and reports 137', async () => {
  const victim = await aContainer();

  await breakIt('kill-container', victim);

  expect(await lab.docker('wait', victim.id)).toBe('137');
  await expect
    .poll(async () => changesOf(await lab.events(victim.traceId), 'container', 'exit'))
    .toMatchObject([{ emitter: { actor: 'shim' }, exit: { code: 137 } }]);
  await lab.docker('rm', victim.id);
});

test('stop dockerd in good order: the container stops too, unless live-restore is on', async () => {
  const victim = await aContainer();
  const survivor = await breakIt('stop-dockerd-live-restore', victim);

  expect(
    survivor.flatMap((event) =>
      event.type === 'message' && event.protocol === 'signal' ? [event.summary] : [],
    ),
  ).toEqual(['SIGHUP', 'SIGTERM']);
  expect(momentsOf(survivor, 'process lives on')).toHaveLength(3);
  expect(momentsOf(survivor, 'container adopted')).toHaveLength(1);
  expect(processInfo(victim.init)?.startTime).toBe(victim.startTime);
  expect(await lab.docker('inspect', '-f', '{{.State.Running}}', victim.id)).toBe('true');

  const events = await breakIt('stop-dockerd', victim);

  expect(changesOf(events, 'dockerd', 'exit').at(-1)).toMatchObject({ exit: { code: 0 } });
  expect(momentsOf(events, 'process is gone').length).toBeGreaterThan(0);
  expect(isAlive(victim.init)).toBe(false);
  expect(await lab.docker('inspect', '-f', '{{.State.Running}}', victim.id)).toBe('false');
  await lab.docker('rm', victim.id);
});

test('a container of others is left alone, and what does not run cannot be killed', async () => {
  const theirs = await lab.docker('run', '-d', '--network', 'none', 'busybox', 'sleep', '1000');
  const ask = async (body: unknown): Promise<number> => {
    for (;;) {
      const { status } = await lab.api('/faults', body);
      if (status !== 429) return status;
      await new Promise((resolve) => {
        setTimeout(resolve, 1000);
      });
    }
  };

  expect(await ask({ fault: 'kill-container', container: theirs })).toBe(403);
  expect(await ask({ fault: 'kill-shim', container: 'f'.repeat(64) })).toBe(409);
  expect(await ask({ fault: 'kill-init' })).toBe(400);
  expect(await lab.docker('inspect', '-f', '{{.State.Running}}', theirs)).toBe('true');
  await lab.docker('rm', '-f', theirs);
});

test('nothing stays', async () => {
  expect(await lab.signal('SIGINT')).toBe(0);
  await nothingStays(place);
});
