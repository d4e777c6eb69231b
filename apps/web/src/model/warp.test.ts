import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aRun } from './a-run.fixture.ts';
import { LEVELS } from './levels.ts';
import { RunModel } from './run-model.ts';
import { dwellMs, START_NS } from './warp.ts';

const model = new RunModel();
model.add(aRun());

describe('learning time', () => {
  test('both directions agree and never go backwards', () => {
    for (const level of LEVELS) {
      const warp = model.warp(level);
      const real = fc.double({ min: START_NS, max: warp.endReal, noNaN: true });
      fc.assert(
        fc.property(real, real, (a, b) => {
          if (a < b) expect(warp.toLearn(a)).toBeLessThanOrEqual(warp.toLearn(b));
          expect(warp.toReal(warp.toLearn(a))).toBeCloseTo(a, 2);
        }),
      );
    }
  });

  test('two different events have two different moments', () => {
    for (const level of LEVELS) {
      const times = model.order.placed.map(({ at }) => model.warp(level).toLearn(at));
      expect(new Set(times).size).toBe(times.length);
    }
  });

  test('a step lasts from 0.9 to 2.4 seconds, longer for a longer gap', () => {
    expect(dwellMs(0, 'step')).toBe(900);
    expect(dwellMs(500_000, 'step')).toBe(1320);
    expect(dwellMs(60e9, 'step')).toBe(2400);
  });

  test('resting on a step shows exactly the events up to its key', () => {
    for (const level of LEVELS) {
      const steps = model.steps(level);
      for (let step = 1; step <= steps.count; step += 1) {
        const n = model.order.countAt(model.warp(level).restOf(step));
        expect(n).toBe((steps.keyOf(step) ?? 0) + 1);
        expect(steps.stepAfter(n)).toBe(step);
      }
    }
  });

  test('a run has about 8 chapters and about 25 steps', () => {
    expect(model.steps('chapter').count).toBeGreaterThanOrEqual(7);
    expect(model.steps('chapter').count).toBeLessThanOrEqual(12);
    expect(model.steps('step').count).toBeGreaterThan(20);
    expect(model.steps('step').count).toBeLessThan(40);
    expect(model.steps('detail').count).toBe(model.length);
  });
});
