import { describe, expect, test } from 'vitest';
import { aRun, PID } from './a-run.fixture.ts';
import { statusOf } from './actor-status.ts';
import { RunModel } from './run-model.ts';
import { labelIn } from './swapped.ts';

/** The same run, as it is told when this actor's program is not ours. */
const machineAfter = (change: string, actor: string | null, program: string) => {
  const model = new RunModel();
  model.add(
    aRun().map((event) =>
      event.type === 'process' && event.actor === actor
        ? {
            ...event,
            attributes: { ...event.attributes, 'engineroom.topology.component': program },
          }
        : event,
    ),
  );
  return model.machineAt((model.order.indexOf(change) ?? NaN) + 1);
};
const RUNC_BORN = `process/${PID.runc}/fork`;

describe('a swapped component', () => {
  test('is called by its own name, and said to be seen from outside', () => {
    const machine = machineAfter(RUNC_BORN, 'runc', '/usr/bin/crun');

    expect(labelIn(machine, 'runc')).toBe('runc: crun');
    expect(statusOf(machine, 'runc').words).toMatch(/^seen from outside: /);
    expect(labelIn(machine, 'shim')).toBe('shim');
    const shim = machineAfter(RUNC_BORN, 'shim', '/usr/bin/containerd-shim-runc-v2');
    expect(labelIn(shim, 'shim')).toBe('shim: runc-v2');
  });

  test('of the same name is called by its path', () => {
    expect(labelIn(machineAfter(RUNC_BORN, 'runc', '/usr/sbin/runc'), 'runc')).toBe(
      'runc: /usr/sbin/runc',
    );
  });

  test('is nobody when all are ours, nor when the container is seen from outside', () => {
    expect(labelIn(machineAfter(RUNC_BORN, null, ''), 'runc')).toBe('runc');
    const machine = machineAfter(`process/${PID.container}/exit`, 'container', '/usr/bin/crun');
    expect(labelIn(machine, 'container')).toBe('container');
  });
});
