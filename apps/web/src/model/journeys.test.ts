import { describe, expect, test } from 'vitest';
import { aRun } from './a-run.fixture.ts';
import { journeysAt } from './journeys.ts';
import { LEVELS } from './levels.ts';
import { RunModel } from './run-model.ts';

const model = new RunModel();
model.add(aRun());

describe('journeys', () => {
  test('are at most two at once, and none begins before its message was sent', () => {
    for (const level of LEVELS) {
      const warp = model.warp(level);
      for (let learn = 0; learn <= warp.endLearn; learn += 37) {
        const real = warp.toReal(learn);
        const journeys = journeysAt(model, level, real);
        expect(journeys.length).toBeLessThanOrEqual(2);
        for (const { id } of journeys) expect(model.placed(id)?.at).toBeLessThanOrEqual(real);
      }
    }
  });

  test('at rest on a message, the message is under way', () => {
    const steps = model.steps('step');
    for (let step = 1; step <= steps.count; step += 1) {
      const event = model.order.placed[steps.keyOf(step) ?? -1]?.event;
      const ids = journeysAt(model, 'step', model.warp('step').restOf(step)).map(({ id }) => id);
      if (event?.type === 'message' || event?.type === 'syscall') expect(ids.at(-1)).toBe(event.id);
    }
  });

  test('an answer goes the way back', () => {
    const answer = model.order.placed.find(
      ({ event }) => event.type === 'message' && event.summary === '201 Created',
    );
    const step = model
      .steps('step')
      .stepAfter((model.order.indexOf(answer?.event.id ?? '') ?? NaN) + 1);

    expect(journeysAt(model, 'step', model.warp('step').restOf(step)).at(-1)).toMatchObject({
      from: 'dockerd',
      to: 'docker',
      label: '201 Created',
      direction: 'response',
    });
  });
});
