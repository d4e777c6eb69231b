import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { aRun, PID } from './a-run.fixture.ts';
import { LEVELS } from './levels.ts';
import { outputOf } from './machine.ts';
import { RunModel } from './run-model.ts';

const RUN = aRun();

const modelOf = (events: readonly SequencedEvent[]): RunModel => {
  const model = new RunModel();
  model.add(events);
  return model;
};

const REFERENCE = modelOf(RUN);
/** Each state from the very beginning, without a snapshot. */
const STATES = RUN.map((_, index) => JSON.stringify(modelOf(RUN).machineAt(index + 1)));

/** The events in another order, in batches, some of them twice: what a bad line delivers. */
const arrivals = fc
  .tuple(
    fc.shuffledSubarray(RUN, { minLength: RUN.length }),
    fc.array(fc.nat(RUN.length - 1)),
    fc.integer({ min: 1, max: 40 }),
  )
  .map(([shuffled, again, size]) => {
    const all = [...shuffled, ...again.flatMap((index) => RUN[index] ?? [])];
    const batches: SequencedEvent[][] = [];
    for (let i = 0; i < all.length; i += size) batches.push(all.slice(i, i + size));
    return batches;
  });

const grown = (
  batches: readonly SequencedEvent[][],
  look: (model: RunModel) => void = () => {},
): RunModel => {
  const model = new RunModel();
  for (const batch of batches) {
    model.add(batch);
    look(model);
  }
  return model;
};

describe('the fold', () => {
  test('arrivals in any order, in any batches and more than once give the same order', () => {
    fc.assert(
      fc.property(arrivals, (batches) => {
        const model = grown(batches);

        expect(model.order.placed.map(({ event, at }) => [event.id, at])).toEqual(
          REFERENCE.order.placed.map(({ event, at }) => [event.id, at]),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('looking while events arrive changes no later answer', () => {
    fc.assert(
      fc.property(arrivals, fc.array(fc.nat(RUN.length)), (batches, looks) => {
        const model = grown(batches, (growing) => {
          for (const n of looks) growing.machineAt(n);
        });

        for (const n of [...looks, RUN.length]) {
          if (n > 0) expect(JSON.stringify(model.machineAt(n))).toBe(STATES[n - 1]);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('playing, seeking and reversing meet the same state at the same step', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(RUN.length), { minLength: 1 }), (places) => {
        for (const n of places) {
          if (n > 0) expect(JSON.stringify(REFERENCE.machineAt(n))).toBe(STATES[n - 1]);
        }
      }),
    );
  });

  test('the warps of a run that grew are those of a run that came at once', () => {
    fc.assert(
      fc.property(arrivals, (batches) => {
        const model = grown(batches);

        for (const level of LEVELS) {
          for (const { at } of REFERENCE.order.placed) {
            expect(model.warp(level).toLearn(at)).toBeCloseTo(REFERENCE.warp(level).toLearn(at), 6);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  test('no state tells of an event that has not happened', () => {
    for (const [index] of RUN.entries()) {
      const machine = REFERENCE.machineAt(index + 1);
      for (const process of Object.values(machine.processes)) {
        expect(process.bornAt ?? 0).toBeLessThanOrEqual(machine.at);
        expect(process.exit?.at ?? 0).toBeLessThanOrEqual(machine.at);
      }
    }
  });

  test('the run ends with everything answered, everyone gone but the daemons, and the output whole', () => {
    const machine = REFERENCE.machineAt(RUN.length);

    expect(Object.keys(machine.calls)).toEqual([]);
    expect(Object.keys(machine.openSpans)).toEqual([]);
    const living = Object.values(machine.processes).filter(
      ({ exit, actor }) => exit === null && actor !== 'lab',
    );
    expect(new Set(living.map(({ pid }) => pid))).toEqual(new Set([PID.containerd, PID.dockerd]));
    expect(machine.processes[PID.container]?.formerParents).toEqual([PID.runc]);
    expect(machine.processes[PID.container]?.ppid).toBe(PID.shim);
    expect(outputOf(machine).map(({ base64 }) => atob(base64))).toEqual(['hello\n']);
    expect(machine.namespaces).toMatchObject({
      pid: '4026532190',
      mnt: '4026532187',
      net: '4026532191',
    });
    expect(machine.cgroup.files['pids.max']).toBe('128');
  });
});
