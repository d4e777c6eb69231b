import { expect, test } from 'vitest';
import type { PollQuestion } from '../../protocol/room/room.ts';
import { Poll } from './poll.ts';

const QUESTION: PollQuestion = {
  id: 'fate',
  ask: 'dockerd dies. And the container?',
  options: [
    { id: 'dies', say: 'It dies too' },
    { id: 'lives', say: 'It goes on' },
  ],
  truth: {
    kind: 'choice',
    rules: [
      { when: { fact: 'container.state', of: 'container web', equals: 'exited' }, is: 'dies' },
      { when: { fact: 'container.state', of: 'container web', equals: 'running' }, is: 'lives' },
    ],
  },
  runs: {},
};

const seen = (holds: boolean, observed: string | null, why: string | null = null) => ({
  holds,
  observed,
  wanted: null,
  why,
});

test('nobody sees who leads, nor the truth, before the reveal; then the engine has decided', async () => {
  const poll = new Poll(QUESTION);
  expect(poll.answer('a', 'dies')).toBeNull();
  expect(poll.answer('b', 'dies')).toBeNull();
  expect(poll.answer('c', 'lives')).toBeNull();
  // One changes its mind, which is one answer still.
  expect(poll.answer('b', 'lives')).toBeNull();
  expect(poll.answer('d', 'explodes')).toMatch(/no such answer/);
  expect(JSON.stringify(poll.shown())).not.toMatch(/truth|container\.state|"dies":1/);

  await poll.reveal((request) => {
    expect(request.predicates).toHaveLength(2);
    return Promise.resolve({ observations: [seen(false, 'running'), seen(true, 'running')] });
  });

  expect(poll.shown().revealed).toEqual({
    counts: { dies: 1, lives: 2 },
    truth: 'lives',
    observed: 'running',
    why: null,
  });
  expect(poll.right).toBe(2);
  expect(poll.answer('late', 'lives')).toMatch(/closed/);
});

test('an engine that does not know says why, and nobody was right', async () => {
  const poll = new Poll(QUESTION);
  poll.answer('a', 'dies');
  await poll.reveal(() =>
    Promise.resolve({
      observations: [seen(false, null, 'there is no container web'), seen(false, null)],
    }),
  );
  expect(poll.shown().revealed).toMatchObject({ truth: null, why: 'there is no container web' });
  expect(poll.right).toBe(0);
});

test('a number is compared with what the engine measures', async () => {
  const poll = new Poll({
    ...QUESTION,
    options: [],
    truth: { kind: 'number', fact: { fact: 'cgroup.processes', of: 'container web', atLeast: 0 } },
  });
  expect(poll.answer('a', '3')).toBeNull();
  expect(poll.answer('b', 'three')).toMatch(/no such answer/);
  await poll.reveal(() =>
    Promise.resolve({ observations: [{ ...seen(true, null), observed: 3 }] }),
  );
  expect(poll.shown().revealed).toMatchObject({ truth: '3', counts: { 3: 1 } });
});

test('an order holds each option once, and is compared as a whole', async () => {
  const options = ['docker', 'shim', 'runc', 'init'].map((id) => ({ id, say: id }));
  const poll = new Poll({
    ...QUESTION,
    options,
    truth: { kind: 'order', fact: { fact: 'trace.actors', run: 'first', equals: ['docker'] } },
  });
  expect(poll.answer('a', 'docker,shim,runc')).toMatch(/no such answer/);
  expect(poll.answer('a', 'docker,shim,runc,runc')).toMatch(/no such answer/);
  expect(poll.answer('a', 'docker,shim,runc,init')).toBeNull();
  expect(poll.answer('b', 'docker,shim,runc,init')).toBeNull();
  // Of so many different ones the few most frequent have a bar, and none is lost.
  const swapped = ['shim,docker', 'runc,docker', 'init,docker', 'init,runc', 'runc,init'];
  for (const [device, first] of swapped.entries()) {
    const rest = options.map(({ id }) => id).filter((id) => !first.split(',').includes(id));
    for (const order of [rest, [...rest].reverse()])
      expect(poll.answer(`${device}${order.join()}`, `${first},${order.join()}`)).toBeNull();
  }
  const counts = poll.counts();
  expect(Object.keys(counts)).toHaveLength(7);
  expect(counts['']).toBe(5);
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(12);

  await poll.reveal(() =>
    Promise.resolve({
      observations: [{ ...seen(false, null), observed: ['docker', 'shim', 'runc', 'init'] }],
    }),
  );
  expect(poll.shown().revealed).toMatchObject({ truth: 'docker,shim,runc,init' });
  expect(poll.right).toBe(2);
});
