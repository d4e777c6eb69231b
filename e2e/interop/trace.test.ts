/** What is not ours tells nothing: the trace has what could be seen from outside, marked, and not a step more. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProcessEvent, SequencedEvent } from '../../apps/engine/src/protocol/trace/event.ts';
import { traceOf, traces } from '../live/trace-api.ts';
import { dockerFor } from '../support/docker.ts';
import { eventually } from '../support/engine.ts';
import type { OurEngine } from '../support/our-engine.ts';
import { OUR_ENGINES, titleOf } from './parties.ts';

/** The run that has made this container, when it is over. */
const eventsOf = async (engine: OurEngine, name: string): Promise<readonly SequencedEvent[]> => {
  let traceId = '';
  await eventually('the run is over', async () => {
    const run = (await traces(engine)).find(({ title }) => title.includes(` ${name} `));
    traceId = run?.traceId ?? '';
    return run?.state === 'ended';
  });
  return (await traceOf(engine, traceId)).events;
};

describe.each(OUR_ENGINES.map((party) => [titleOf(party), party] as const))('%s', (_, party) => {
  let engine: OurEngine;
  beforeAll(async () => {
    engine = await party.start();
  });
  afterAll(() => engine.stop());

  test('marks what was seen from outside', async () => {
    const docker = dockerFor(engine);
    await docker(['run', '--rm', '--name', 'traced', '--network', 'none', 'busybox', 'false']);
    const events = await eventsOf(engine, 'traced');

    const changes = events.filter(
      (event): event is ProcessEvent & SequencedEvent => event.type === 'process',
    );
    const isMarked = (actor: string): boolean =>
      changes.some(
        (event) => event.actor === actor && 'engineroom.topology.component' in event.attributes,
      );
    const isAllOurs = party.shim === 'ours' && party.runtime === 'ours';
    expect(['shim', 'runc', 'container'].filter(isMarked)).toEqual([
      ...(party.shim === 'ours' ? [] : ['shim']),
      ...(party.shim === 'ours' && party.runtime !== 'ours' ? ['runc'] : []),
      ...(isAllOurs ? [] : ['container']),
    ]);
    const ofContainer = changes.filter(({ actor }) => actor === 'container');
    expect(ofContainer.map(({ change }) => change)).toEqual(
      expect.arrayContaining(['fork', 'exec', 'exit']),
    );
    expect(ofContainer.find(({ change }) => change === 'exit')?.exit).toMatchObject({ code: 1 });
    const steps = events.filter(
      (event) => event.type === 'syscall' && event.caller.actor === 'container',
    );
    // Our runc tells its steps below whatever shim: the trace reaches it through the environment.
    expect(steps.length > 0).toBe(party.runtime === 'ours');
  });
});
