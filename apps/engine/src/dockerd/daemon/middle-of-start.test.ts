/** A request that arrives in the middle of a start is about what comes of it: moby holds the container's lock meanwhile. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { nextState } from '../container/container-state.ts';
import { Container } from '../container/container.ts';
import { aRecord } from '../container/testing/a-record.ts';
import type { Daemon } from './daemon.ts';
import { kill, stop } from './kill.ts';
import { wait } from './wait.ts';

const SIGTERM = 15;

let container: Container;
let signals: number[];
let finishStart: () => void;
let started: Promise<void>;

const daemon = () =>
  ({
    tasks: {
      kill: (_id: string, signal: number) => {
        signals.push(signal);
        container.hasExited();
        return Promise.resolve();
      },
    },
    events: { emit: () => undefined },
    lifecycle: { isShuttingDown: false },
    store: {
      update: (_container: Container, change: object) => {
        container.record = { ...container.record, ...change };
        return Promise.resolve();
      },
    },
  }) as unknown as Daemon;

beforeEach(() => {
  signals = [];
  container = new Container('/nowhere', aRecord(), HostConfig.parse({}));
  const gate = new Promise<void>((resolve) => {
    finishStart = resolve;
  });
  started = container.exclusively(async () => {
    await gate;
    container.record = { ...container.record, state: nextState(container.state, 'running') };
  });
});
afterEach(() => started);

test.each([
  ['kill', () => kill(daemon(), container, 'TERM')],
  ['stop', () => stop(daemon(), container, { timeoutSeconds: -1 })],
])('%s in the middle of a start reaches the program', async (_name, ask) => {
  const asked = ask();
  expect(signals).toEqual([]);

  finishStart();
  await asked;

  expect(signals).toEqual([SIGTERM]);
});

test('wait in the middle of a start waits for the end of what begins', async () => {
  const { signal } = new AbortController();
  const ended = wait(container, 'not-running', signal);
  finishStart();
  await started;
  await container.settled();
  const state = nextState(container.state, 'exited', { exitCode: 7 });
  container.record = { ...container.record, state };
  container.hasExited();

  expect(await ended).toMatchObject({ exitCode: 7 });
});
