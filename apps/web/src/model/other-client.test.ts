/** Whoever speaks to dockerd is called by its own name, and only the docker CLI is called so. */
import { expect, test } from 'vitest';
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { captionOf } from './caption.ts';
import { RunModel } from './run-model.ts';

const told = (event: object, seq: number): SequencedEvent =>
  ({
    traceId: 'a'.repeat(32),
    level: 'step',
    cause: null,
    source: 'x.ts:1',
    emitter: { actor: 'dockerd', pid: 2, n: seq },
    mono: String(seq),
    seq,
    id: String(seq),
    ...event,
  }) as SequencedEvent;

const captionsOf = (name: string): readonly string[] => {
  const client = { actor: 'docker', pid: 7 };
  const model = new RunModel();
  model.add([
    told(
      {
        type: 'process',
        change: 'exec',
        actor: 'docker',
        process: { pid: 7, ppid: 1, name, argv: [name] },
        attributes: {},
      },
      1,
    ),
    told(
      {
        type: 'message',
        spanId: 'b'.repeat(16),
        protocol: 'http',
        direction: 'request',
        from: client,
        to: { actor: 'dockerd', pid: 2 },
        summary: 'GET /v1.50/containers/json',
        body: null,
        raw: null,
      },
      2,
    ),
    told(
      {
        type: 'spanEvent',
        spanId: 'b'.repeat(16),
        name: 'client stdout',
        attributes: { 'engineroom.client.text': 'hello' },
      },
      3,
    ),
    told(
      {
        type: 'process',
        change: 'exit',
        actor: 'docker',
        process: { pid: 7, ppid: 1, name },
        exit: { code: 0 },
        attributes: {},
      },
      4,
    ),
  ]);
  return model.order.placed.map(({ event }) => captionOf(event, model));
};

test('an SDK is called by its program', () => {
  expect(captionsOf('python3')).toEqual([
    'Pid 7 becomes “python3”',
    'python3 asks dockerd to list the containers.',
    'python3 prints: hello.',
    'python3 (pid 7) exits with code 0.',
  ]);
});

test('the docker CLI is the docker CLI', () => {
  expect(captionsOf('docker')).toEqual([
    'Pid 7 becomes “docker”',
    'The docker CLI asks dockerd to list the containers.',
    'docker prints: hello.',
    'The docker CLI (pid 7) exits with code 0.',
  ]);
});
