import { describe, expect, test } from 'vitest';
import { aRun, PID } from './a-run.fixture.ts';
import { RunModel } from './run-model.ts';
import { TraceWriter } from './trace-writer.fixture.ts';
import { verdictAt } from './verdict.ts';

const NEW_DOCKERD = 901;

/** dockerd is killed in the middle of the run, while the container runs. */
const aKilledDockerd = (): RunModel => {
  const model = new RunModel();
  const events = aRun();
  const exec = events.findIndex(({ id }) => id === `process/${PID.container}/exec`);
  const kept = events.slice(0, exec + 1);
  const [first] = kept;
  const last = kept.at(-1);
  if (!first || !last) throw new Error('the run is empty');
  const t = new TraceWriter(first.traceId, PID).at(
    Number((BigInt(last.mono) - 812_345_678_901_234n) / 1000n) + 100,
  );
  const signal = t.say('lab', {
    type: 'message',
    id: 'fault/request',
    cause: null,
    level: 'chapter',
    spanId: 'f'.repeat(16),
    protocol: 'signal',
    direction: 'event',
    from: { actor: 'lab', pid: PID.lab },
    to: { actor: 'dockerd', pid: PID.dockerd },
    summary: 'SIGKILL',
    body: null,
    raw: null,
  });
  const death = t.process(
    'lab',
    ['exit', 'dockerd'],
    { pid: PID.dockerd, ppid: null, name: 'dockerd' },
    { cause: signal, level: 'chapter', exit: { code: 137, signal: 'SIGKILL' } },
  );
  t.say('lab', {
    type: 'spanEvent',
    id: 'fault/look/1',
    cause: death,
    level: 'step',
    spanId: 'f'.repeat(16),
    name: 'process lives on',
    attributes: {
      'engineroom.process.actor': 'container',
      'process.pid': PID.container,
      'engineroom.process.start_time': '4711',
      'process.parent_pid': PID.shim,
    },
  });
  t.process(
    'lab',
    ['fork', 'dockerd'],
    { pid: NEW_DOCKERD, ppid: PID.lab, name: 'dockerd' },
    { cause: death, level: 'step' },
  );
  model.add([
    ...kept,
    ...t.events.map((event, index) => ({ ...event, seq: kept.length + index + 1 })),
  ]);
  return model;
};

describe('what survived', () => {
  const model = aKilledDockerd();
  const at = (id: string) => verdictAt(model, (model.order.indexOf(id) ?? NaN) + 1);
  const fates = (id: string) =>
    Object.fromEntries((at(id)?.lines ?? []).map(({ actor, fate }) => [actor, fate]));

  test('is not asked before anything was broken', () => {
    expect(at(`process/${PID.container}/exec`)).toBeNull();
  });

  test('is not told ahead of the playhead', () => {
    expect(fates('fault/request')).toMatchObject({ dockerd: 'struck', container: 'unseen' });
    expect(fates(`process/${PID.dockerd}/exit`)).toMatchObject({
      dockerd: 'died',
      container: 'unseen',
    });
  });

  test('is said of the container only when /proc was looked at, and names its parent', () => {
    expect(fates('fault/look/1')).toMatchObject({ dockerd: 'died', container: 'survived' });
    const line = at('fault/look/1')?.lines.find(({ actor }) => actor === 'container');
    expect(line?.words).toContain('4711');
    expect(line?.why).toContain(`the shim, pid ${PID.shim}`);
  });

  test('a daemon that is back is another process', () => {
    const line = at(`process/${NEW_DOCKERD}/fork`)?.lines.find(({ actor }) => actor === 'dockerd');
    expect(line).toMatchObject({ fate: 'replaced', pid: PID.dockerd });
    expect(line?.words).toContain(`pid ${NEW_DOCKERD}`);
  });
});
