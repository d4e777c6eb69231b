import { describe, expect, test } from 'vitest';
import { aRun, PID } from './a-run.fixture.ts';
import { compareEnds, compareSteps } from './compare.ts';
import { RunModel } from './run-model.ts';

const modelOf = (events = aRun()): RunModel => {
  const model = new RunModel();
  model.add(events);
  return model;
};

describe('two runs', () => {
  test('a run is like itself, step by step and at its end', () => {
    const steps = compareSteps(modelOf(), modelOf(), 'step');
    expect(steps.length).toBeGreaterThan(10);
    expect(steps.every(({ left, right }) => left?.event.id === right?.event.id)).toBe(true);
    expect(compareEnds(modelOf(), modelOf())).toEqual([]);
  });

  test('other pids are no difference', () => {
    const text = JSON.stringify(aRun());
    const others = JSON.parse(
      text.replaceAll(String(PID.container), '7311').replaceAll(String(PID.shim), '7288'),
    ) as ReturnType<typeof aRun>;
    const steps = compareSteps(modelOf(), modelOf(others), 'step');
    expect(steps.filter(({ left, right }) => left === null || right === null)).toEqual([]);
  });

  test('a step that only one of them took stands where it happened', () => {
    const whole = aRun();
    const gone = whole.find(
      (event) => event.type === 'message' && event.summary === 'Snapshots/Prepare',
    );
    const less = modelOf(whole.filter((event) => event !== gone));
    const steps = compareSteps(modelOf(), less, 'step');
    const single = steps.filter(({ left, right }) => left === null || right === null);
    expect(single.map(({ left }) => left?.event.id)).toEqual([gone?.id]);
    expect(steps.indexOf(single[0] ?? steps[0]!)).toBeGreaterThan(0);
  });

  test('another exit is a difference at the end', () => {
    const failed = aRun().map((event) =>
      event.type === 'process' && event.change === 'exit' && event.actor === 'container'
        ? { ...event, exit: { code: 137, signal: 'SIGKILL' } }
        : event,
    );
    expect(compareEnds(modelOf(), modelOf(failed))).toEqual([
      { name: 'container ended', left: 'exit 0', right: 'SIGKILL' },
    ]);
  });
});
