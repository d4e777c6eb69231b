/** A follower's page against a room that the test plays: what comes over the line, and what is drawn of it. */
import { act } from 'react';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RoomState } from '@engine-room/engine/protocol/room/room.ts';
import { RunModel } from '../model/run-model.ts';
import { playhead, tick } from '../playback/playhead.ts';
import { traceStore } from '../trace/trace-store.ts';
import { followStore } from './follow.ts';
import { FollowView } from './FollowView.tsx';
import { Drawn, line, listen, ROOM, RUN, SUMMARY } from './room.fixture.tsx';

const model = new RunModel();
model.add(RUN);
const ENGINE = { canLaunch: true, reason: null, daemons: [], dockerSocket: '', limits: {} };
const HELLO = { type: 'hello', version: 1, engine: ENGINE, traces: [SUMMARY] };
const EVENTS = { type: 'events', frame: 1, traceId: SUMMARY.traceId, events: RUN };

const room = (changes: Partial<RoomState['playhead']> = {}, more: Partial<RoomState> = {}) => ({
  type: 'room',
  elapsedMs: 0,
  room: {
    ...ROOM,
    playhead: {
      ...ROOM.playhead,
      traceId: SUMMARY.traceId,
      realNs: model.warp('step').restOf(3),
      step: 3,
      ...changes,
    },
    ...more,
  } satisfies RoomState,
});

let drawn: Drawn;
let page: HTMLElement;

beforeEach(async () => {
  listen();
  traceStore.setState({ runs: new Map(), engine: null });
  playhead.setState({ traceId: null, model: new RunModel() });
  followStore.setState({ room: null, you: null, isAway: false });
  drawn = new Drawn();
  ({ page } = drawn);
  await drawn.draw(<FollowView code="amber-whale" />);
});

afterEach(() => drawn.remove());

test('it asks for the room alone, without a secret, and is a device from then on', async () => {
  expect(line().url.pathname).toBe('/api/rooms/amber-whale/stream');
  expect(line().protocols).toEqual(['engine-room.v1']);
  await line().hear(HELLO, {
    type: 'you',
    device: 'd'.repeat(32),
    answer: null,
    place: null,
    note: null,
  });
  expect(line().sent).toContainEqual({ type: 'join', as: 'device' });
  expect(Object.values(sessionStorage)).toEqual(['d'.repeat(32)]);
});

test('a late joiner is where the presenter is, though the events come after', async () => {
  await line().hear(HELLO, room());
  expect(playhead.getState().step).toBe(0);
  await line().hear(EVENTS);
  expect(playhead.getState()).toMatchObject({ traceId: SUMMARY.traceId, step: 3, level: 'step' });
  expect(page.textContent).toContain('Following Ada');
});

test('it goes along in steps, plays on by itself, and is not set back by what it knows', async () => {
  await line().hear(HELLO, EVENTS, room());
  const restOf = (step: number): number => model.warp('step').restOf(step);
  await line().hear(room({ step: 5, realNs: restOf(5) }));
  expect(playhead.getState().step).toBe(5);
  await line().hear(room({ isPlaying: true, isResting: false, realNs: restOf(5) }));
  expect(playhead.getState()).toMatchObject({ isPlaying: true, pace: 'learn' });
  act(() => tick(300));
  const here = playhead.getState().realNs;
  expect(here).toBeGreaterThan(restOf(5));
  const there = model.warp('step').toReal(model.warp('step').toLearn(restOf(5)) + 250);
  await line().hear(room({ isPlaying: true, isResting: false, realNs: there }));
  expect(playhead.getState().realNs).toBeGreaterThanOrEqual(here);
  expect(page.textContent).toContain('Following Ada');
});

test('whoever steps alone is left alone, and comes back by Rejoin', async () => {
  await line().hear(HELLO, EVENTS, room());
  await drawn.press('Step back');
  expect(playhead.getState().step).toBe(2);
  await line().hear(room({ step: 6, realNs: model.warp('step').restOf(6) }));
  expect(playhead.getState().step).toBe(2);
  expect(page.textContent).toContain('You are on your own');
  expect(line().sent.at(-1)).toEqual({ type: 'at', isAway: true, screen: null });
  await drawn.press('Rejoin');
  expect(playhead.getState().step).toBe(6);
  expect(line().sent.at(-1)).toEqual({ type: 'at', isAway: false, screen: null });
});

test('a question is answered, and its verdict is the engine’s', async () => {
  const poll = {
    id: 'q',
    kind: 'choice' as const,
    ask: 'Who is the parent?',
    options: [
      { id: 'shim', say: 'the shim' },
      { id: 'dockerd', say: 'dockerd' },
    ],
    isOpen: true,
    revealed: null,
  };
  const you = { type: 'you', device: 'd'.repeat(32), place: null, note: null };
  await line().hear(HELLO, room({}, { poll }));
  await act(async () => {
    page.querySelector<HTMLInputElement>('input[type="radio"]')!.click();
    await Promise.resolve();
  });
  expect(line().sent.at(-1)).toEqual({ type: 'answer', poll: 'q', say: 'shim' });
  await line().hear({ ...you, answer: 'shim' });
  expect(page.textContent).not.toContain('%');
  const revealed = { counts: { shim: 3, dockerd: 1 }, truth: 'shim', observed: 42, why: null };
  await line().hear(room({}, { poll: { ...poll, isOpen: false, revealed } }));
  expect(page.textContent).toContain('3 (75 %)');
  expect(page.textContent).toContain('The engine says: the shim');
  expect(page.textContent).toContain('You were right.');
});

test('an order is put right by buttons, sent as a whole, and told in words', async () => {
  const options = [
    { id: 'shim', say: 'the shim' },
    { id: 'docker', say: 'the CLI' },
  ];
  const poll = {
    ...{ id: 'o', kind: 'order' as const, ask: 'Who begins?', options },
    ...{ isOpen: true, revealed: null },
  };
  const you = { type: 'you', device: 'd'.repeat(32), place: null, note: null };
  await line().hear(HELLO, room({}, { poll }));
  await act(async () => {
    page.querySelector<HTMLButtonElement>('[data-id="docker"] [data-by="-1"]')!.click();
    await Promise.resolve();
  });
  await drawn.press('Send');
  expect(line().sent.at(-1)).toEqual({ type: 'answer', poll: 'o', say: 'docker,shim' });
  await line().hear({ ...you, answer: 'docker,shim' });
  expect(page.textContent).toContain('Your answer: the CLI → the shim');

  const revealed = {
    counts: { 'docker,shim': 3, '': 1 },
    ...{ truth: 'docker,shim', observed: ['docker', 'shim'], why: null },
  };
  await line().hear(room({}, { poll: { ...poll, isOpen: false, revealed } }));
  expect(page.textContent).toContain('the CLI → the shim3 (75 %)');
  expect(page.textContent).toContain('other answers1 (25 %)');
  expect(page.textContent).toContain('The engine says: the CLI → the shim');
  expect(page.textContent).toContain('You were right.');
});

test('what may be asked for is asked for, and the place is shown', async () => {
  await line().hear(HELLO, room({}, { offers: ['docker ps'] }));
  await drawn.press('docker ps');
  expect(line().sent.at(-1)).toEqual({ type: 'ask', offer: 0 });
  await line().hear({ type: 'you', device: 'd'.repeat(32), answer: null, place: 4, note: null });
  expect(page.textContent).toContain('You are number 4 in the queue.');
});

test('it says when nobody drives, and when the room is over', async () => {
  await line().hear(HELLO, room({}, { isDriven: false }));
  expect(page.textContent).toContain('The presenter is away');
  await line().hear(room({}, { isOver: true }));
  expect(page.textContent).toContain('This room is over');
});
