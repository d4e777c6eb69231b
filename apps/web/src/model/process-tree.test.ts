import { expect, test } from 'vitest';
import { aRun, PID } from './a-run.fixture.ts';
import { MACHINE_AT_REST, type Machine } from './machine.ts';
import { processTree } from './process-tree.ts';
import { RunModel } from './run-model.ts';

const model = new RunModel();
model.add(aRun());
const around = (id: string): readonly [Machine, Machine] => {
  const index = model.order.indexOf(id) ?? NaN;
  return [model.machineAt(index + 1), model.machineAt(index)];
};
const rowOf = (id: string, pid: number) =>
  processTree(...around(id)).find(({ process }) => process.pid === pid);

test('a birth, an exec, a new parent and a death are each marked in the step in which they happen', () => {
  const container = PID.container;
  expect(rowOf(`process/${container}/fork`, container)).toMatchObject({ change: 'born' });
  expect(rowOf(`process/${container}/exec`, container)).toMatchObject({ change: 'became' });
  expect(rowOf(`process/${container}/exit`, container)).toMatchObject({ change: 'died' });
  expect(rowOf(`process/${PID.runc}/exit`, container)?.change).toBeNull();
});

test('the dead leave the tree with the next step', () => {
  const rows = processTree(model.machineAt(model.length), model.machineAt(model.length));
  expect(rows.every(({ process }) => process.exit === null)).toBe(true);
});

test('a child stands below its parent, one deeper', () => {
  const rows = processTree(...around(`process/${PID.container}/fork`));
  const child = rows.findIndex(({ process }) => process.pid === PID.container);
  const parent = rows.findLast(
    ({ depth }, index) => index < child && depth === (rows[child]?.depth ?? 0) - 1,
  );
  expect(parent?.process.pid).toBe(rows[child]?.process.ppid);
});

test('two that are each other’s parent, in a damaged trace, are shown and no endless loop', () => {
  const { processes } = model.machineAt(model.length);
  const one = Object.values(processes)[0];
  if (!one) throw new Error('nobody');
  const ring = {
    '1': { ...one, pid: 1, ppid: 2, exit: null },
    '2': { ...one, pid: 2, ppid: 1, exit: null },
  };
  const rows = processTree({ ...MACHINE_AT_REST, processes: ring }, MACHINE_AT_REST);
  expect(rows.map(({ process }) => process.pid)).toEqual([1, 2]);
});
