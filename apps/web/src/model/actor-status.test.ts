import { describe, expect, test } from 'vitest';
import { aRun, PID } from './a-run.fixture.ts';
import { ACTORS, castOf, type StageActor } from './actors.ts';
import { statusOf } from './actor-status.ts';
import { kernelChips } from './kernel-chips.ts';
import { labelIn } from './swapped.ts';
import { MACHINE_AT_REST, type ProcessView } from './machine.ts';
import { RunModel } from './run-model.ts';

const model = new RunModel();
model.add(aRun());

const after = (id: string) => model.machineAt((model.order.indexOf(id) ?? NaN) + 1);

describe('the status of an actor', () => {
  test('before anything, the daemons are there and nobody else is', () => {
    const kinds = Object.fromEntries(
      ACTORS.map(({ actor }) => [actor, statusOf(model.machineAt(0), actor).kind]),
    );

    expect(kinds).toEqual({
      docker: 'unborn',
      client: 'unborn',
      dockerd: 'ready',
      containerd: 'ready',
      shim: 'unborn',
      runc: 'unborn',
      container: 'unborn',
      kernel: 'ready',
    });
  });

  test('a container that runc has left is blocked until it is started', () => {
    expect(statusOf(after(`process/${PID.container}/fork`), 'container').kind).toBe('active');
    expect(statusOf(after(`process/${PID.runc}/exit`), 'container')).toMatchObject({
      kind: 'blocked',
      words: 'waits on exec.fifo',
    });
    expect(statusOf(after(`process/${PID.container}/exec`), 'container')).toMatchObject({
      kind: 'active',
      words: 'runs echo hello',
    });
    expect(statusOf(after(`process/${PID.container}/exit`), 'container').kind).toBe('dead');
  });

  test('who has asked waits for the answer', () => {
    const machine = after(`process/${PID.runc}/fork`);
    const waiting = (['docker', 'dockerd', 'containerd'] satisfies StageActor[]).map(
      (actor) => statusOf(machine, actor).words,
    );

    expect(waiting).toEqual(['waits for dockerd', 'waits for containerd', 'waits for shim']);
  });

  test('runc tells how long it lived', () => {
    expect(statusOf(after(`process/${PID.runc}/exit`), 'runc').words).toMatch(
      /^exit 0 after 1\.\d+ ms$/,
    );
  });
});

describe('the chips of the kernel', () => {
  test('are none at first and never get fewer', () => {
    let before = 0;
    for (let n = 0; n <= model.length; n += 1) {
      const { length } = kernelChips(model.machineAt(n));
      expect(length).toBeGreaterThanOrEqual(before);
      before = length;
    }
    expect(kernelChips(model.machineAt(0))).toEqual([]);
  });

  test('show inodes and limits', () => {
    const chips = Object.fromEntries(
      kernelChips(model.machineAt(model.length)).map(({ key, value }) => [key, value]),
    );

    expect(chips).toMatchObject({
      'ns-pid': '4026532190',
      cgroup: '256 MiB, 128 pids',
      mount: '3',
    });
  });
});

describe('a run of a client that speaks to containerd itself', () => {
  const process: ProcessView = {
    ...{ pid: 7, actor: 'client', ppid: 1, name: 'ctr', argv: ['ctr', 'run'], containerId: null },
    ...{ bornAt: 0, execAt: 0, claimed: false, joined: false, formerParents: [], exit: null },
    ...{ attributes: {}, toldBy: 'process/7/exec' },
  };
  const ctr = { ...MACHINE_AT_REST, processes: { 7: process }, current: { client: 7 } };

  test('has no docker and no dockerd in its path', () => {
    expect(statusOf(ctr, 'docker')).toMatchObject({ kind: 'unborn', words: 'not in the path' });
    expect(statusOf(ctr, 'dockerd')).toMatchObject({ kind: 'unborn', words: 'not in the path' });
    expect(statusOf(ctr, 'containerd')).toMatchObject({ kind: 'ready', words: 'idle' });
  });

  test('shows the client by its name, and runs of docker show none', () => {
    expect(labelIn(ctr, 'client')).toBe('ctr');
    expect(castOf(ctr).map(({ actor }) => actor)).toContain('client');
    expect(castOf(ctr)).toBe(castOf(ctr));
    expect(castOf(MACHINE_AT_REST).map(({ actor }) => actor)).not.toContain('client');
  });
});
