/** Processes that really stand still before a step, and go on when they may. */
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GATE_SOCKET, GATES_VARIABLE, type GateRequest } from '../protocol/trace/gate.ts';
import type { SyscallEvent, TraceEvent } from '../protocol/trace/event.ts';
import { withContext } from '../tracing/context.ts';
import { Bench } from './testing/bundle.ts';

const TRACE = 'd'.repeat(32);
const bench = new Bench();
const folder = mkdtempSync(join(tmpdir(), 'step-gates-'));

/** The lab of this test: says "held" to all, and releases on demand. */
let server: Server;
let arrivals: { readonly request: GateRequest; readonly socket: Socket }[];
let onArrival: () => void;

beforeEach(async () => {
  vi.stubEnv(GATES_VARIABLE, folder);
  mkdirSync(folder, { recursive: true });
  arrivals = [];
  onArrival = () => undefined;
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (line: Buffer) => {
      socket.write('{"held":true}\n');
      arrivals.push({ request: JSON.parse(line.toString()) as GateRequest, socket });
      onArrival();
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, GATE_SOCKET), resolve));
});

afterEach(async () => {
  for (const { socket } of arrivals) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  vi.unstubAllEnvs();
});

afterAll(async () => {
  await bench.close();
  rmSync(folder, { recursive: true, force: true });
});

const set = (...gates: readonly string[]): void =>
  writeFileSync(join(folder, TRACE), gates.join('\n'));

const arrival = (count: number): Promise<{ request: GateRequest; socket: Socket }> =>
  new Promise((resolve) => {
    const look = () => {
      const found = arrivals[count - 1];
      if (found) resolve(found);
    };
    onArrival = look;
    look();
  });

const release = ({ socket }: { socket: Socket }): void =>
  void socket.end('{"released":"continue"}\n');

const inTrace = <T>(work: () => T): T =>
  withContext({ traceId: TRACE, spanId: 'e'.repeat(16) }, work);

const callsOf = (events: readonly TraceEvent[], actor: string): string[] =>
  events
    .filter((event): event is SyscallEvent => event.type === 'syscall')
    .filter(({ caller }) => caller.actor === actor)
    .map(({ name }) => name);

/** Resolves when the process waits in read(2): having said that it is held, it is on its way there. proc(5) */
const standsStill = (pid: number): Promise<void> =>
  vi.waitFor(() => expect(readFileSync(`/proc/${pid}/syscall`, 'utf8').split(' ')[0]).toBe(READ), {
    timeout: 30_000,
  });
const READ = process.arch === 'x64' ? '0' : '63';

test('runc stands before clone3, init before pivot_root, and the container is what it always is', async () => {
  const bundle = bench.bundle(['sh', '-c', 'exit 7']);
  set('runc/clone3', 'init/pivot_root', 'init/mount#2');
  const before = bench.events.length;
  const creating = inTrace(() => bench.create(bundle));

  const first = await arrival(1);
  expect(first.request).toMatchObject({ gate: 'runc/clone3', traceId: TRACE });
  const runc = first.request.subjectPid;
  expect(readFileSync(`/proc/${runc}/comm`, 'utf8')).toBe('runc\n');
  await standsStill(runc);
  expect(readFileSync(`/proc/${runc}/task/${runc}/children`, 'utf8')).toBe('');
  release(first);

  const second = await arrival(2);
  expect(second.request.gate).toBe('init/mount#2');
  const init = second.request.subjectPid;
  expect(readFileSync(`/proc/${init}/comm`, 'utf8')).toBe('runc:[init]\n');
  await standsStill(init);
  release(second);

  const third = await arrival(3);
  expect(third.request).toMatchObject({ gate: 'init/pivot_root', subjectPid: init });
  // Everything is mounted, and the host's tree is still its root.
  expect(readFileSync(`/proc/${init}/mountinfo`, 'utf8')).toContain(`${bundle.rootfs}/proc `);
  expect(readlinkSync(`/proc/${init}/ns/mnt`)).not.toBe(readlinkSync('/proc/self/ns/mnt'));
  release(third);

  const created = await creating;
  expect(created.pid).toBe(init);
  const told = bench.events.slice(before);
  expect(callsOf(told, 'container').join(' ')).toContain('fchdir write read pivot_root');
  expect(callsOf(told, 'runc').join(' ')).toContain('write read clone3');
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  expect(await exited).toBe(7);
});

test('a gate before execve holds after runc start, with the filter in force', async () => {
  const bundle = bench.bundle(['sh', '-c', 'exit 3'], {
    process: { noNewPrivileges: true },
  });
  set('init/execve');
  const created = await inTrace(() => bench.create(bundle));
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  const held = await arrival(1);
  expect(held.request.subjectPid).toBe(created.pid);
  expect(readFileSync(`/proc/${created.pid}/comm`, 'utf8')).toBe('runc:[init]\n');
  release(held);
  expect(await exited).toBe(3);
  await created.execed;
});

test('who is killed while it is held is held no longer', async () => {
  const bundle = bench.bundle(['true']);
  set('init/pivot_root');
  const failure = inTrace(() => bench.create(bundle)).then(
    () => '',
    (error: unknown) => String(error),
  );
  const held = await arrival(1);
  const closed = new Promise((resolve) => held.socket.once('close', resolve));
  process.kill(held.request.subjectPid, 'SIGKILL');
  await closed;
  expect(await failure).toMatch(/runc create failed/);
});

test('a lab that dies opens the gate', async () => {
  const bundle = bench.bundle(['true']);
  set('init/pivot_root');
  const creating = inTrace(() => bench.create(bundle));
  (await arrival(1)).socket.destroy();
  const created = await creating;
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  expect(await exited).toBe(0);
});

test('without the gates of this trace a plan is the plan that was compiled', async () => {
  set('init/pivot_root');
  const before = bench.events.length;
  const { code } = await bench.run(['true']);
  expect(code).toBe(0);
  expect(arrivals).toEqual([]);
  expect(callsOf(bench.events.slice(before), 'container').join(' ')).toContain('fchdir pivot_root');
});
