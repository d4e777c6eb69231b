import { expect, test } from 'vitest';
import { aRun, PID } from './a-run.fixture.ts';
import { RunModel } from './run-model.ts';
import { stateDiff } from './state-diff.ts';

const model = new RunModel();
model.add(aRun());
const diffAt = (id: string) => {
  const index = model.order.indexOf(id) ?? NaN;
  return stateDiff(model.machineAt(index), model.machineAt(index + 1)).map(
    ({ mark, words }) => `${mark} ${words}`,
  );
};

test('between a moment and itself nothing has changed', () => {
  for (let n = 0; n <= model.length; n += 7)
    expect(stateDiff(model.machineAt(n), model.machineAt(n))).toEqual([]);
});

test('a birth, a program, and a death', () => {
  expect(diffAt(`process/${PID.container}/fork`)).toContain(`+ process container ${PID.container}`);
  expect(diffAt(`process/${PID.container}/exec`)).toContain(
    `~ container ${PID.container} is now echo hello`,
  );
  expect(diffAt(`process/${PID.container}/exit`)).toContain(
    `− process container ${PID.container}: exit 0`,
  );
});

test('over the whole run every namespace and limit is named once', () => {
  const words = stateDiff(model.machineAt(0), model.machineAt(model.length)).map(
    (change) => change.words,
  );
  expect(words).toContain('pid namespace');
  expect(words.some((line) => line.includes('memory'))).toBe(true);
  expect(new Set(words).size).toBe(words.length);
});
