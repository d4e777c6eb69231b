/** The events that a container's birth leaves in the trace: complete, in order, each with a cause that was told. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProcessEvent, SyscallEvent, TraceEvent } from '../protocol/trace/event.ts';
import { readProcess } from './state-file.ts';
import { Bench } from './testing/bundle.ts';

const bench = new Bench();
let pid = 0;
let events: readonly TraceEvent[] = [];

beforeAll(async () => {
  const bundle = bench.bundle(['true'], { linux: { resources: { pids: { limit: 20 } } } });
  const created = await bench.create(bundle);
  pid = created.pid;
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await created.execed;
  await exited;
  events = [...bench.events];
});
afterAll(() => bench.close());

const syscalls = (): readonly SyscallEvent[] =>
  events.filter((event): event is SyscallEvent => event.type === 'syscall');
const changes = (): readonly ProcessEvent[] =>
  events.filter((event): event is ProcessEvent => event.type === 'process');

test('every cause is an event of the trace, and no id is used twice', () => {
  const ids = new Set(events.map(({ id }) => id));

  expect(ids.size).toBe(events.length);
  for (const { id, cause } of events) if (cause !== null) expect(ids, id).toContain(cause);
});

test('the steps of each process follow one another in time', () => {
  for (const actor of ['runc', 'container'] as const) {
    const [spanId] = syscalls().map((event) => event.spanId);
    const own = syscalls().filter(
      (event) => event.caller.actor === actor && event.spanId === spanId,
    );
    for (const [index, event] of own.entries()) {
      expect(BigInt(event.endMono)).toBeGreaterThanOrEqual(BigInt(event.mono));
      const previous = own[index - 1];
      if (previous) expect(BigInt(event.mono)).toBeGreaterThanOrEqual(BigInt(previous.endMono));
      if (previous) expect(event.cause).toBe(previous.id);
    }
  }
});

test('two chapters, a handful of steps, the rest detail; each names its code and its reference', () => {
  const chapters = syscalls().filter(({ level }) => level === 'chapter');
  const steps = syscalls().filter(({ level }) => level === 'step');

  expect(chapters.map(({ name, errno }) => [name, errno])).toEqual([
    ['clone3', null],
    ['execve', null],
  ]);
  expect(steps.length).toBeGreaterThan(5);
  expect(steps.length).toBeLessThan(25);
  for (const { source, reference, title } of syscalls()) {
    expect(source).toMatch(/^apps\/engine\/src\/libcontainer\/.*\.ts:\d+$/);
    expect(reference).toMatch(/^(man:\S+\(\d\)|OCI \S+)$/);
    expect(title).not.toBe('');
  }
});

test('runc is born and leaves; init is born, changes its parent, and becomes the program', () => {
  const of = (change: ProcessEvent['change'], actor: string) =>
    changes().find((event) => event.change === change && event.actor === actor);
  const runc = of('fork', 'runc')?.process.pid;

  expect(of('exit', 'runc')?.exit).toEqual({ code: 0 });
  expect(of('fork', 'container')?.process).toMatchObject({ pid, ppid: runc, name: 'runc:[init]' });
  expect(of('reparent', 'container')?.process).toMatchObject({ pid, ppid: process.pid });
  expect(of('exec', 'container')?.process).toMatchObject({ pid, argv: ['true'] });
  expect(
    of('exec', 'container')?.process.startTime ?? of('fork', 'container')?.process.startTime,
  ).toMatch(/^\d+$/);
  expect(readProcess(pid)).toBeNull();
});

test('the new namespaces are told by their inode numbers', () => {
  const born = changes().find(
    ({ change, actor }) => change === 'reparent' && actor === 'container',
  );

  for (const name of ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'user']) {
    expect(born?.attributes[`engineroom.namespace.${name}`]).toMatch(/^\d+$/);
  }
});
