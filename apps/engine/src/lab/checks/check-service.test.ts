import { expect, test } from 'vitest';
import { EngineError } from '../../protocol/errdefs.ts';
import { Predicate, type CheckRequest } from '../../protocol/lesson/predicate.ts';
import { LEARNER_LABEL } from '../policy/limits.ts';
import type { InspectedContainer } from '../runs/engine-client.ts';
import { aProcess, aSpanStarted, from } from '../testing/events.ts';
import { processInfo } from '../process-info.ts';
import { answerChecks, type CheckSources } from './check-service.ts';

const TRACE = '1'.repeat(32);
const ME = { id: 'me' };
const container = (changes: Partial<InspectedContainer> = {}): InspectedContainer => ({
  labels: { [LEARNER_LABEL]: 'me' },
  state: 'running',
  // The kernel knows this one: the test itself.
  pid: process.pid,
  exitCode: 0,
  image: 'busybox',
  ...changes,
});

const sources = (changes: Partial<CheckSources> = {}): CheckSources => ({
  inspect: () => Promise.resolve(container()),
  volume: () => Promise.resolve(null),
  dockerdIsBack: () => Promise.resolve(),
  daemons: () => [{ actor: 'dockerd', pid: 1, state: 'running' }],
  traces: () => [],
  eventsOf: () => Promise.resolve(null),
  ...changes,
});

const ask = async (
  predicate: unknown,
  changes: Partial<CheckSources> = {},
  more: Partial<CheckRequest> = {},
) => {
  const request = { predicates: [Predicate.parse(predicate)], runs: {}, answers: {}, ...more };
  const [observation] = (await answerChecks(request, ME, sources(changes))).observations;
  return observation;
};

test('a fact is compared with a value', async () => {
  const predicate = { fact: 'container.state', of: 'container a', equals: 'exited' };
  expect(await ask(predicate)).toEqual({
    holds: false,
    observed: 'running',
    wanted: 'exited',
    why: null,
  });
});

test('a fact is compared with another fact, as the kernel tells them', async () => {
  const same = { fact: 'ns.net', of: 'container a', equals: { fact: 'ns.net', of: 'container b' } };
  expect(await ask(same)).toMatchObject({ holds: true });
  const parent = { fact: 'process.parent', of: 'container a', equals: process.ppid };
  expect(await ask(parent)).toMatchObject({ holds: true });
});

test('a fact is compared with the learner’s answer', async () => {
  const predicate = { fact: 'process.pid', of: 'container a', equals: { answer: 'guess' } };
  expect(await ask(predicate)).toMatchObject({
    holds: false,
    why: 'the question is not answered yet',
  });
  expect(await ask(predicate, {}, { answers: { guess: process.pid } })).toMatchObject({
    holds: true,
  });
  expect(await ask(predicate, {}, { answers: { guess: 'nonsense' } })).toMatchObject({
    holds: false,
  });
});

test('somebody else’s container is not spoken of', async () => {
  const theirs = () => Promise.resolve(container({ labels: { [LEARNER_LABEL]: 'another' } }));
  for (const fact of ['container.state', 'process.pid', 'ns.net', 'cgroup.memory.limit'])
    expect(await ask({ fact, of: 'container theirs', not: 0 }, { inspect: theirs })).toEqual({
      holds: false,
      observed: null,
      wanted: 0,
      why: 'there is no container theirs of yours',
    });
});

test('a container without a process is told of as such', async () => {
  const inspect = () => Promise.resolve(container({ state: 'created', pid: 0 }));
  expect(
    await ask({ fact: 'process.alive', of: 'container a', equals: false }, { inspect }),
  ).toMatchObject({ holds: true });
  expect(await ask({ fact: 'ns.pid', of: 'container a', not: 1 }, { inspect })).toMatchObject({
    holds: false,
    why: 'the container a is created: it has no process',
  });
});

test('a daemon that is away is no failure of the lab', async () => {
  const inspect = () => Promise.reject(new EngineError('unavailable', 'away'));
  expect(await ask({ fact: 'container.pid', of: 'container a', not: 0 }, { inspect })).toEqual({
    holds: false,
    observed: null,
    wanted: 0,
    why: 'dockerd does not answer now',
  });
});

test('a dockerd that is on its way back is waited for', async () => {
  let isBack = false;
  const inspect = () =>
    isBack
      ? Promise.resolve(container({ state: 'running' }))
      : Promise.reject(new EngineError('unavailable', 'away'));
  const dockerdIsBack = () => {
    isBack = true;
    return Promise.resolve();
  };
  expect(
    await ask(
      { fact: 'container.state', of: 'container a', equals: 'running' },
      { inspect, dockerdIsBack },
    ),
  ).toMatchObject({ holds: true, observed: 'running', why: null });
});

test('a program is there before what it does, whoever tells of it first', async () => {
  const born = aProcess({ id: 'born', mono: '30', actor: 'docker', change: 'fork', cause: null });
  const asked = aSpanStarted({ id: 'asked', mono: '20', cause: 'born' });
  const eventsOf = () =>
    Promise.resolve([from(asked, { actor: 'dockerd' }), from(born, { actor: 'lab' })]);
  const actors = { fact: 'trace.actors', run: 'first', equals: ['docker', 'dockerd'] };
  expect(await ask(actors, { eventsOf }, { runs: { first: TRACE } })).toMatchObject({
    holds: true,
  });
});

test('whoever inherited an orphan is not its shim', async () => {
  expect(await ask({ fact: 'process.pid', of: 'shim a', not: 0 })).toMatchObject({
    holds: false,
    why: 'the container a has no shim any more',
  });
});

test('the learner’s own trace is a witness', async () => {
  const startTime = processInfo(process.pid)?.startTime ?? '';
  const eventsOf = () =>
    Promise.resolve([
      aProcess({
        mono: '20',
        actor: 'container',
        change: 'exec',
        process: { pid: 9, ppid: 8, name: 'x', startTime },
      }),
      aProcess({ id: 'b', mono: '10', actor: 'docker' }),
    ]);
  const runs = { first: TRACE };
  expect(
    await ask(
      { fact: 'trace.actors', run: 'first', equals: ['docker', 'container'] },
      { eventsOf },
      { runs },
    ),
  ).toMatchObject({ holds: true });
  expect(
    await ask(
      { fact: 'trace.has', run: 'first', match: 'container exec', equals: true },
      { eventsOf },
      { runs },
    ),
  ).toMatchObject({ holds: true });
  expect(
    await ask(
      {
        fact: 'process.startTime',
        of: 'container a',
        equals: { fact: 'trace.startTime', run: 'first', actor: 'container' },
      },
      { eventsOf },
      { runs },
    ),
  ).toMatchObject({ holds: true });
  expect(await ask({ fact: 'trace.exitCode', run: 'first', equals: 0 })).toMatchObject({
    holds: false,
    why: '"first" has not been run yet',
  });
});

test('requests of other programs are counted, the docker CLI’s are not', async () => {
  const summary = { traceId: TRACE, origin: 'external' } as ReturnType<
    CheckSources['traces']
  >[number];
  const eventsOf = () =>
    Promise.resolve(
      ['curl/8.14.1', 'Docker-Client/28.2.2 (linux)'].map((agent, index) =>
        aSpanStarted({
          id: `request/${index}`,
          kind: 'server',
          name: 'GET /containers/json',
          attributes: { 'user_agent.original': agent },
        }),
      ),
    );
  const predicate = { fact: 'engine.requests', match: 'GET /containers/json', equals: 1 };
  expect(await ask(predicate, { eventsOf, traces: () => [summary] })).toMatchObject({
    holds: true,
  });
});

test('what is no predicate is refused', () => {
  for (const bad of [
    { fact: 'shell', equals: 1 },
    { fact: 'container.state', of: 'container a' },
    { fact: 'container.state', of: 'container a', equals: 1, not: 2 },
    { fact: 'container.state', equals: 'running' },
    { fact: 'trace.has', run: 'first', equals: true },
    { fact: 'process.pid', of: 'container ../../etc', equals: 1 },
    { fact: 'layer.writable.has', of: 'container a', path: '/a/../../etc/passwd', equals: true },
  ])
    expect(Predicate.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
});
