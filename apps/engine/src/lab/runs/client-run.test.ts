import { expect, test, vi } from 'vitest';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { processId } from '../../protocol/trace/event-id.ts';
import { traceOfProcess } from '../../tracing/context.ts';
import { processInfo } from '../process-info.ts';
import { aSpanEvent } from '../testing/events.ts';
import { ClientRun } from './client-run.ts';

/** A real process that behaves as a client may: only its program is a shell's instead of Docker's. */
const start = (script: string, printsContainer = false) => {
  const events: TraceEvent[] = [];
  let bytes = 0;
  let context = { traceId: '', spanId: '' };
  const run = new ClientRun({
    file: '/bin/sh',
    argv: ['docker', '-c', script],
    env: { ONLY: 'this' },
    cwd: '/',
    printsContainer,
    isDocker: true,
    onBorn: (born) => {
      context = traceOfProcess(born.pid, processInfo(born.pid)?.startTime ?? '');
    },
    tell: (event) => events.push(event),
    onBytes: (count) => {
      bytes += count;
    },
  });
  return { run, events, context: () => context, bytes: () => bytes };
};

const textOf = (events: readonly TraceEvent[], stream = ''): string =>
  events
    .map((event) =>
      event.type === 'spanEvent' && event.name.endsWith(stream)
        ? event.attributes['engineroom.client.text']
        : undefined,
    )
    .filter((text) => typeof text === 'string')
    .join('');

test('its trace is named after the process, as dockerd will name it', async () => {
  const { run, events, context } = start('exit 7');
  await run.finished;

  expect(run.context).toEqual(context());
  expect(new Set(events.map(({ traceId }) => traceId))).toEqual(new Set([run.context.traceId]));
});

test('another program is told its trace, and what becomes of it stands there', async () => {
  const events: TraceEvent[] = [];
  const run = new ClientRun({
    file: '/bin/sh',
    argv: ['program', '-c', 'echo "$TRACEPARENT"'],
    env: {},
    cwd: '/',
    printsContainer: false,
    isDocker: false,
    onBorn: () => undefined,
    tell: (event) => events.push(event),
    onBytes: () => undefined,
  });
  await run.finished;
  const { traceId, spanId } = run.context;
  expect(textOf(events)).toBe(`00-${traceId}-${spanId}-01\n`);
  expect(events.find((event) => event.type === 'process')?.process.name).toBe('program');
});

test('its life is told: born, become docker, gone with its code', async () => {
  const { run, events } = start('exit 7');
  await run.finished;

  const life = events.filter((event) => event.type === 'process');
  expect(life.map(({ change, process: { pid } }) => [change, pid])).toEqual(
    ['fork', 'exec', 'exit'].map((change) => [change, run.pid]),
  );
  expect(life.at(-1)?.exit).toEqual({ code: 7 });
  expect(events.find((event) => event.type === 'spanEnded')?.cause).toBe(
    processId(run.pid, 'exit'),
  );
});

test('each event’s cause is told before it', async () => {
  const { run, events } = start('echo a; echo b >&2');
  await run.finished;

  const told = new Set<string>();
  for (const { id, cause } of events) {
    if (cause !== null) expect(told).toContain(cause);
    told.add(id);
  }
});

test('a signal is told as a shell tells it', async () => {
  const { run, events } = start('echo up; kill -STOP $$');
  run.kill('SIGKILL');
  await run.finished;

  expect(events.find((event) => event.type === 'process' && event.change === 'exit')).toMatchObject(
    {
      exit: { code: 137, signal: 'SIGKILL' },
    },
  );
});

test('it gets the environment that it is given and nothing of ours', async () => {
  const { run, events, bytes } = start('/usr/bin/env | grep -v -E "^(PWD|_|SHLVL)="');
  await run.finished;

  expect(textOf(events)).toBe('ONLY=this\n');
  expect(bytes()).toBe('ONLY=this\n'.length);
});

test('a character that arrives in pieces is told whole', async () => {
  // The rest is written only when the first bytes have been read.
  const { run, events, bytes } = start(
    'rest() { printf "\\251n" >&2; printf "\\202\\254"; exit; }; trap rest USR1; printf "1\\342"; printf "\\303" >&2; while :; do sleep 0.01; done',
  );
  await vi.waitFor(() => expect(bytes()).toBe(3), { timeout: 20_000 });
  run.kill('SIGUSR1');
  await run.finished;

  expect(textOf(events, 'stdout')).toBe('1€');
  expect(textOf(events, 'stderr')).toBe('én');
});

test('bytes that never became a character are told as such, once', async () => {
  const { run, events } = start('printf "a\\342\\202"');
  await run.finished;

  expect(textOf(events)).toBe('a\uFFFD');
});

test('it goes on reading when nothing wants the output', async () => {
  const { run, bytes } = start('head -c 5000000 /dev/zero', true);
  await run.finished;

  expect(bytes()).toBe(5_000_000);
});

test('its complaint is told apart from the container’s words', async () => {
  const { run, events } = start(
    'sleep 0.2; echo from the container >&2; echo docker: too bad >&2; exit 125',
    true,
  );
  const request = {
    ...aSpanEvent(),
    type: 'message',
    protocol: 'http',
    direction: 'request',
  } as const;
  run.notice({
    ...request,
    from: { actor: 'docker', pid: run.pid },
    to: { actor: 'dockerd', pid: 1 },
    summary: 'POST /v1.50/containers/x/start',
    body: null,
    raw: null,
  });
  const base64 = Buffer.from('from the container\n').toString('base64');
  run.notice({
    ...aSpanEvent(),
    type: 'output',
    containerId: 'x',
    stream: 'stderr',
    offset: 0,
    base64,
    sizeBytes: 19,
    truncated: false,
  });
  await run.finished;

  expect(textOf(events)).toBe('docker: too bad\n');
});

test('a program that is not there is an error and no run', () => {
  expect(
    () =>
      new ClientRun({
        file: '/nowhere/docker',
        argv: ['docker', 'ps'],
        env: {},
        cwd: '/',
        printsContainer: false,
        isDocker: true,
        onBorn: () => expect.fail('it was born'),
        tell: () => expect.fail('something was told'),
        onBytes: () => undefined,
      }),
  ).toThrow('cannot be started');
});
