import { describe, expect, test } from 'vitest';
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { statusOf } from './actor-status.ts';
import { aRun, PID } from './a-run.fixture.ts';
import { containersOf, inFocus, shownContainer } from './containers.ts';
import { kernelChips } from './kernel-chips.ts';
import { RunModel } from './run-model.ts';

const RUN = aRun();
const FIRST = '3f9c1d2e4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0';
const SECOND = 'a'.repeat(64);
const FURTHER = 1000;

const isDaemon = (pid: string): boolean => [PID.dockerd, PID.containerd].includes(Number(pid));

/** The same run once more a second later, for another container and with other processes. */
const again = RUN.map((event) => {
  const text = JSON.stringify(event)
    .replaceAll(FIRST, SECOND)
    .replace(/"(id|cause|spanId|parentSpanId)":"(?![a-f0-9]{64}")/g, '"$1":"again-')
    .replace(/"(pid|ppid)":(\d+)/g, (whole, key: string, pid: string) =>
      isDaemon(pid) ? whole : `"${key}":${Number(pid) + FURTHER}`,
    );
  const next = JSON.parse(text) as SequencedEvent;
  return { ...next, mono: String(BigInt(event.mono) + 1_000_000_000n), seq: event.seq + 5_000 };
});

const modelOf = (events: readonly SequencedEvent[]): RunModel => {
  const model = new RunModel();
  model.add(events);
  return model;
};

const model = modelOf([...RUN, ...again]);
const end = model.machineAt(model.length);

describe('several containers in one run', () => {
  test('each is listed with its own first process, in the order in which they came', () => {
    expect(containersOf(end).map(({ id, pid }) => [id, pid])).toEqual([
      [FIRST, PID.container],
      [SECOND, PID.container + FURTHER],
    ]);
  });

  test('in focus, what is one container’s alone is this one’s', () => {
    for (const [id, further] of [
      [FIRST, 0],
      [SECOND, FURTHER],
    ] as const) {
      const focused = inFocus(end, id);

      expect(focused.current.shim).toBe(PID.shim + further);
      expect(focused.current.container).toBe(PID.container + further);
      expect(focused.current.dockerd).toBe(end.current.dockerd);
      expect(statusOf(focused, 'container').process?.pid).toBe(PID.container + further);
    }
  });

  test('the kernel’s facts are counted for each, and together for the run', () => {
    const calls = (id: string | null): number =>
      Object.values(inFocus(end, id).kernel).reduce(
        (sum, { count, failed }) => sum + count + failed,
        0,
      );

    expect(calls(FIRST)).toBeGreaterThan(0);
    expect(calls(FIRST)).toBe(calls(SECOND));
    expect(calls(null)).toBeGreaterThanOrEqual(calls(FIRST) + calls(SECOND));
    expect(kernelChips(inFocus(end, FIRST))).toEqual(kernelChips(inFocus(end, SECOND)));
    expect(kernelChips(inFocus(end, FIRST)).map(({ key }) => key)).toContain('cgroup');
  });

  test('without a choice the one is shown that the story is at', () => {
    const half = model.order.placed.findIndex(({ event }) => event.id.startsWith('again-'));

    expect(shownContainer(model.machineAt(half), null)).toBe(FIRST);
    expect(shownContainer(end, null)).toBe(SECOND);
    expect(shownContainer(end, FIRST)).toBe(FIRST);
    expect(shownContainer(end, 'gone')).toBe(SECOND);
  });

  test('a run with one container is not looked at through it', () => {
    const single = modelOf(RUN);
    const machine = single.machineAt(single.length);

    expect(inFocus(machine, FIRST)).toBe(machine);
  });
});
