/**
 * Builders of events for tests: a `docker run --rm busybox echo hello` as the engine tells it, in miniature.
 * Never part of the page.
 */
import type { Actor, Level, SequencedEvent, SyscallEvent, TraceEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { requestId, responseId, spanEndedId, spanStartedId } from '@engine-room/engine/protocol/trace/event-id.ts';

type Draft<T extends TraceEvent> = T extends TraceEvent
  ? Omit<T, 'traceId' | 'mono' | 'emitter' | 'seq'> & { readonly source?: string }
  : never;

const TRACE = '5f3c9a41b6d24e07a1c2d3e4f5061728';
const CONTAINER = '3f9c1d2e4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0';
const BOOT_NS = 812_345_678_901_234n;

/** Writes a trace down: `at(µs)` moves the clock, the other methods say what happened then. */
export class TraceWriter {
  readonly events: SequencedEvent[] = [];
  #micros = 0;
  #spans = 0;
  readonly #counters = new Map<number, number>();

  at(micros: number): this {
    this.#micros = micros;
    return this;
  }

  say(actor: Actor, pid: number, draft: Draft<TraceEvent>): string {
    const n = this.#counters.get(pid) ?? 0;
    this.#counters.set(pid, n + 1);
    const mono = (BOOT_NS + BigInt(Math.round(this.#micros * 1000))).toString();
    const event = { ...draft, traceId: TRACE, mono, emitter: { actor, pid, n }, seq: this.events.length };
    this.events.push(event as SequencedEvent);
    this.#micros += 3;
    return draft.id;
  }

  newSpanId(): string {
    this.#spans += 1;
    return this.#spans.toString(16).padStart(16, '0');
  }
}

export const PID = { docker: 4102, dockerd: 812, containerd: 640, shim: 4188, runc: 4209, container: 4211, starter: 4230, deleter: 4251 };

const bytes = (text: string) => ({
  base64: btoa(text),
  sizeBytes: text.length,
  truncated: false,
});

interface CallOptions {
  readonly protocol: 'http' | 'grpc' | 'ttrpc';
  readonly from: Actor;
  readonly to: Actor;
  readonly summary: string;
  readonly name: string;
  readonly level: Level;
  readonly at: number;
  readonly cause: string | null;
  readonly body?: unknown;
  readonly source?: string;
}

const pidOf = (actor: Actor): number => PID[actor as keyof typeof PID] ?? 0;

/** A request: the client's span, the message, the server's span. Answers what is needed to answer it. */
function call(trace: TraceWriter, options: CallOptions): { client: string; server: string; begun: string } {
  const { from, to, summary, name, level, at, cause, protocol, body = null, source } = options;
  const client = trace.newSpanId();
  const server = trace.newSpanId();
  const teller = from === 'docker' ? to : from;
  trace.at(at);
  if (from !== 'docker') {
    trace.say(from, pidOf(from), { type: 'spanStarted', id: spanStartedId(client), cause, level: 'detail', spanId: client, parentSpanId: null, name, kind: 'client', attributes: {} });
  }
  const raw = protocol === 'http' ? `${summary} HTTP/1.1\r\nHost: api.moby.localhost\r\n\r\n${body === null ? '' : JSON.stringify(body)}` : JSON.stringify(body);
  trace.say(teller, pidOf(teller), { type: 'message', id: requestId(client), cause: from === 'docker' ? cause : spanStartedId(client), level, spanId: client, protocol, direction: 'request', from: { actor: from, pid: pidOf(from) }, to: { actor: to, pid: pidOf(to) }, summary, body, raw: bytes(raw) });
  trace.at(at + 180);
  const begun = trace.say(to, pidOf(to), { type: 'spanStarted', id: spanStartedId(server), cause: requestId(client), level: level === 'chapter' ? 'step' : 'detail', spanId: server, parentSpanId: client, name, kind: 'server', attributes: {}, ...(source ? { source } : {}) });
  return { client, server, begun };
}

function answer(trace: TraceWriter, { client, server }: { client: string; server: string }, options: Omit<CallOptions, 'name'>): string {
  const { from, to, summary, at, level, protocol, body = null } = options;
  trace.at(at);
  trace.say(from, pidOf(from), { type: 'message', id: responseId(client), cause: spanStartedId(server), level, spanId: client, protocol, direction: 'response', from: { actor: from, pid: pidOf(from) }, to: { actor: to, pid: pidOf(to) }, summary, body, raw: body === null ? null : bytes(JSON.stringify(body)) });
  trace.say(from, pidOf(from), { type: 'spanEnded', id: spanEndedId(server), cause: spanStartedId(server), level: 'detail', spanId: server, status: { code: 'ok' }, attributes: {} });
  if (to !== 'docker') {
    trace.at(at + 120);
    trace.say(to, pidOf(to), { type: 'spanEnded', id: spanEndedId(client), cause: responseId(client), level: 'detail', spanId: client, status: { code: 'ok' }, attributes: {} });
  }
  return responseId(client);
}

interface SyscallLine {
  readonly who: 'runc' | 'container';
  readonly name: string;
  readonly detail: string;
  readonly title: string;
  readonly object: SyscallEvent['object'];
  readonly level?: Level;
  readonly reference?: string;
  readonly errno?: string;
  readonly attributes?: SyscallEvent['attributes'];
}

const NAMESPACE_INODES = {
  'engineroom.namespace.pid': '4026532190',
  'engineroom.namespace.mnt': '4026532187',
  'engineroom.namespace.uts': '4026532188',
  'engineroom.namespace.ipc': '4026532189',
  'engineroom.namespace.net': '4026532191',
  'engineroom.namespace.cgroup': '4026532192',
};

const RUNC_CREATE: readonly SyscallLine[] = [
  { who: 'runc', name: 'mkdir', detail: '"/sys/fs/cgroup/memory/engine-room/3f9c", 0755', title: 'a cgroup for the container', object: 'cgroup', level: 'step', attributes: { 'engineroom.cgroup.path': '/engine-room/3f9c' } },
  { who: 'runc', name: 'write', detail: '"/sys/fs/cgroup/memory/engine-room/3f9c/memory.limit_in_bytes", "268435456"', title: 'at most 256 MiB of memory', object: 'cgroup', attributes: { 'engineroom.cgroup.file': 'memory.limit_in_bytes', 'engineroom.cgroup.value': '268435456' } },
  { who: 'runc', name: 'write', detail: '"/sys/fs/cgroup/pids/engine-room/3f9c/pids.max", "128"', title: 'at most 128 processes', object: 'cgroup', attributes: { 'engineroom.cgroup.file': 'pids.max', 'engineroom.cgroup.value': '128' } },
  { who: 'runc', name: 'clone3', detail: '{flags=CLONE_NEWPID|CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWNET|CLONE_NEWCGROUP, exit_signal=SIGCHLD}', title: 'a child in new namespaces', object: 'namespace', level: 'step', reference: 'man:clone(2)' },
];
const INIT_STEPS: readonly SyscallLine[] = [
  { who: 'container', name: 'mount', detail: 'NULL, "/", NULL, MS_REC|MS_PRIVATE, NULL', title: 'mounts no longer spread to the host', object: 'mount', reference: 'man:mount(2)' },
  { who: 'container', name: 'mount', detail: '"proc", "/proc", "proc", MS_NOSUID|MS_NOEXEC|MS_NODEV, NULL', title: 'its own view of processes', object: 'mount', level: 'step', attributes: { 'engineroom.mount.target': '/proc', 'engineroom.mount.type': 'proc' } },
  { who: 'container', name: 'mount', detail: '"tmpfs", "/dev", "tmpfs", MS_NOSUID|MS_STRICTATIME, "mode=755,size=65536k"', title: 'a small /dev of its own', object: 'mount', attributes: { 'engineroom.mount.target': '/dev', 'engineroom.mount.type': 'tmpfs' } },
  { who: 'container', name: 'mount', detail: '"cgroup", "/sys/fs/cgroup", "cgroup", MS_RDONLY, NULL', title: 'cgroups, read only', object: 'mount', errno: 'ENOENT' },
  { who: 'container', name: 'pivot_root', detail: '".", "."', title: 'the image becomes the root', object: 'root', level: 'step', reference: 'man:pivot_root(2)' },
  { who: 'container', name: 'sethostname', detail: '"3f9c1d2e4b5a", 12', title: 'its own host name', object: 'identity' },
  { who: 'container', name: 'capset', detail: '{pid=0}, {effective=0xa80425fb, permitted=0xa80425fb}', title: 'only 14 of 41 capabilities are left', object: 'capability', level: 'step', reference: 'man:capabilities(7)' },
  { who: 'container', name: 'prctl', detail: 'PR_SET_NO_NEW_PRIVS, 1', title: 'no program may raise its privileges', object: 'identity' },
  { who: 'container', name: 'seccomp', detail: 'SECCOMP_SET_MODE_FILTER, 0, {len=382}', title: "Docker's default filter of system calls", object: 'seccomp', level: 'step', reference: 'man:seccomp(2)' },
];

function syscalls(trace: TraceWriter, spanId: string, from: number, lines: readonly SyscallLine[]): number {
  let micros = from;
  for (const [index, line] of lines.entries()) {
    trace.at(micros);
    trace.say('shim', PID.shim, {
      type: 'syscall',
      id: `${spanId}/syscall/${line.who}-${index}`,
      cause: spanStartedId(spanId),
      level: line.level ?? 'detail',
      spanId,
      caller: { actor: line.who, pid: PID[line.who] },
      name: line.name,
      detail: line.detail,
      title: line.title,
      object: line.object,
      endMono: (BOOT_NS + BigInt(Math.round((micros + 40) * 1000))).toString(),
      result: line.name === 'clone3' ? PID.container : line.errno ? -1 : 0,
      errno: line.errno ?? null,
      ignored: line.errno !== undefined,
      ...(line.reference ? { reference: line.reference } : {}),
      attributes: line.attributes ?? {},
      source: `apps/engine/src/libcontainer/plan/compile.ts:${40 + index * 6}`,
    });
    micros += 70 + index * 9;
  }
  return micros;
}

/** The whole run: about 90 ms, six programs, one line of output. */
export function aRun(): SequencedEvent[] {
  const t = new TraceWriter();
  const root = t.newSpanId();
  t.at(0);
  t.say('dockerd', PID.dockerd, { type: 'spanStarted', id: spanStartedId(root), cause: null, level: 'detail', spanId: root, parentSpanId: null, name: 'docker run', kind: 'client', attributes: {} });
  const born = t.at(2).say('lab', 300, { type: 'process', id: `process/${PID.docker}/exec`, cause: spanStartedId(root), level: 'chapter', change: 'exec', actor: 'docker', process: { pid: PID.docker, ppid: 300, name: 'docker', argv: ['docker', 'run', '--rm', 'busybox', 'echo', 'hello'], startTime: '81234567' }, attributes: {} });

  const ping = call(t, { protocol: 'http', from: 'docker', to: 'dockerd', summary: 'HEAD /_ping', name: 'HEAD /_ping', level: 'detail', at: 21_000, cause: born });
  answer(t, ping, { protocol: 'http', from: 'dockerd', to: 'docker', summary: '200 OK', level: 'detail', at: 21_600, cause: null });

  const create = call(t, { protocol: 'http', from: 'docker', to: 'dockerd', summary: 'POST /v1.50/containers/create', name: 'POST /containers/create', level: 'chapter', at: 24_000, cause: born, body: { Image: 'busybox', Cmd: ['echo', 'hello'], HostConfig: { AutoRemove: true, Memory: 268435456 } }, source: 'apps/engine/src/dockerd/api/routes/containers.ts:52' });
  const record = call(t, { protocol: 'grpc', from: 'dockerd', to: 'containerd', summary: 'Containers/Create', name: 'containerd.services.containers.v1.Containers/Create', level: 'step', at: 25_200, cause: create.begun, body: { id: CONTAINER, runtime: { name: 'io.containerd.engineroom.v2' } } });
  answer(t, record, { protocol: 'grpc', from: 'containerd', to: 'dockerd', summary: 'OK', level: 'detail', at: 26_400, cause: null, body: {} });
  const snapshot = call(t, { protocol: 'grpc', from: 'dockerd', to: 'containerd', summary: 'Snapshots/Prepare', name: 'containerd.services.snapshots.v1.Snapshots/Prepare', level: 'step', at: 26_900, cause: create.begun, body: { snapshotter: 'overlayfs', key: CONTAINER } });
  answer(t, snapshot, { protocol: 'grpc', from: 'containerd', to: 'dockerd', summary: 'OK', level: 'detail', at: 28_300, cause: null, body: { mounts: [{ type: 'overlay' }] } });
  answer(t, create, { protocol: 'http', from: 'dockerd', to: 'docker', summary: '201 Created', level: 'step', at: 29_000, cause: null, body: { Id: CONTAINER, Warnings: [] } });

  const attach = call(t, { protocol: 'http', from: 'docker', to: 'dockerd', summary: `POST /v1.50/containers/${CONTAINER}/attach?stderr=1&stdout=1&stream=1`, name: 'POST /containers/{id}/attach', level: 'step', at: 30_000, cause: create.begun });
  answer(t, attach, { protocol: 'http', from: 'dockerd', to: 'docker', summary: '101 Switching Protocols', level: 'detail', at: 30_500, cause: null });
  const wait = call(t, { protocol: 'http', from: 'docker', to: 'dockerd', summary: `POST /v1.50/containers/${CONTAINER}/wait?condition=removed`, name: 'POST /containers/{id}/wait', level: 'step', at: 31_000, cause: create.begun });

  const start = call(t, { protocol: 'http', from: 'docker', to: 'dockerd', summary: `POST /v1.50/containers/${CONTAINER}/start`, name: 'POST /containers/{id}/start', level: 'chapter', at: 32_000, cause: responseId(create.client), source: 'apps/engine/src/dockerd/daemon/start.ts:41' });
  const tasksCreate = call(t, { protocol: 'grpc', from: 'dockerd', to: 'containerd', summary: 'Tasks/Create', name: 'containerd.services.tasks.v1.Tasks/Create', level: 'chapter', at: 33_500, cause: start.begun, body: { container_id: CONTAINER, rootfs: [{ type: 'overlay' }], stdout: '/run/engine-room/containerd/fifo/3f9c-stdout' } });
  t.at(34_800);
  const claimed = t.say('containerd', PID.containerd, { type: 'process', id: `process/${PID.shim}/claimed`, cause: tasksCreate.begun, level: 'step', change: 'claimed', actor: 'shim', process: { pid: PID.shim, ppid: 1, name: 'containerd-shim-engineroom-v2', argv: ['containerd-shim-engineroom-v2', '-namespace', 'moby', '-id', CONTAINER] }, containerId: CONTAINER, attributes: { 'engineroom.spare.ready_ms': 8121 } });
  const taskCreate = call(t, { protocol: 'ttrpc', from: 'containerd', to: 'shim', summary: 'Task/Create', name: 'containerd.task.v3.Task/Create', level: 'chapter', at: 36_000, cause: claimed, body: { id: CONTAINER, bundle: '/run/engine-room/containerd/io.containerd.runtime.v2.task/moby/3f9c' }, source: 'apps/engine/src/containerd-shim/task-service.ts:88' });

  const runc = t.newSpanId();
  t.at(38_000);
  t.say('shim', PID.shim, { type: 'spanStarted', id: spanStartedId(runc), cause: taskCreate.begun, level: 'detail', spanId: runc, parentSpanId: taskCreate.server, name: 'runc create', kind: 'internal', attributes: {} });
  const exec = t.at(38_400).say('shim', PID.shim, { type: 'message', id: requestId(runc), cause: spanStartedId(runc), level: 'step', spanId: runc, protocol: 'exec', direction: 'request', from: { actor: 'shim', pid: PID.shim }, to: { actor: 'runc', pid: PID.runc }, summary: 'runc create', body: { argv: ['runc', 'create', '--bundle', '/run/…/3f9c', CONTAINER] }, raw: null });
  t.at(38_900);
  t.say('shim', PID.shim, { type: 'process', id: `process/${PID.runc}/fork`, cause: exec, level: 'step', change: 'fork', actor: 'runc', process: { pid: PID.runc, ppid: PID.shim, name: 'runc', argv: ['runc', 'create', CONTAINER] }, containerId: CONTAINER, attributes: {} });
  let micros = syscalls(t, runc, 39_300, RUNC_CREATE);
  t.at(micros);
  t.say('shim', PID.shim, { type: 'process', id: `process/${PID.container}/fork`, cause: `${runc}/syscall/runc-3`, level: 'chapter', change: 'fork', actor: 'container', process: { pid: PID.container, ppid: PID.runc, name: 'runc:init' }, containerId: CONTAINER, attributes: { 'process.vpid': 1, ...NAMESPACE_INODES } });
  micros = syscalls(t, runc, micros + 120, INIT_STEPS);
  t.at(micros + 200);
  t.say('shim', PID.shim, { type: 'process', id: `process/${PID.runc}/exit`, cause: spanStartedId(runc), level: 'step', change: 'exit', actor: 'runc', process: { pid: PID.runc, ppid: PID.shim, name: 'runc' }, exit: { code: 0 }, containerId: CONTAINER, attributes: {} });
  t.say('shim', PID.shim, { type: 'process', id: `process/${PID.container}/reparent`, cause: `process/${PID.runc}/exit`, level: 'step', change: 'reparent', actor: 'container', process: { pid: PID.container, ppid: PID.shim, name: 'runc:init' }, containerId: CONTAINER, attributes: {} });
  t.say('shim', PID.shim, { type: 'spanEnded', id: spanEndedId(runc), cause: spanStartedId(runc), level: 'detail', spanId: runc, status: { code: 'ok' }, attributes: {} });
  answer(t, taskCreate, { protocol: 'ttrpc', from: 'shim', to: 'containerd', summary: 'OK', level: 'detail', at: micros + 700, cause: null, body: { pid: PID.container } });
  answer(t, tasksCreate, { protocol: 'grpc', from: 'containerd', to: 'dockerd', summary: 'OK', level: 'step', at: micros + 1400, cause: null, body: { container_id: CONTAINER, pid: PID.container } });

  const base = micros + 2000;
  const tasksStart = call(t, { protocol: 'grpc', from: 'dockerd', to: 'containerd', summary: 'Tasks/Start', name: 'containerd.services.tasks.v1.Tasks/Start', level: 'step', at: base, cause: responseId(tasksCreate.client), body: { container_id: CONTAINER } });
  const taskStart = call(t, { protocol: 'ttrpc', from: 'containerd', to: 'shim', summary: 'Task/Start', name: 'containerd.task.v3.Task/Start', level: 'step', at: base + 800, cause: tasksStart.begun, body: { id: CONTAINER } });
  t.at(base + 1500);
  t.say('shim', PID.shim, { type: 'process', id: `process/${PID.starter}/fork`, cause: taskStart.begun, level: 'detail', change: 'fork', actor: 'runc', process: { pid: PID.starter, ppid: PID.shim, name: 'runc', argv: ['runc', 'start', CONTAINER] }, containerId: CONTAINER, attributes: {} });
  t.at(base + 2100).say('shim', PID.shim, { type: 'process', id: `process/${PID.starter}/exit`, cause: taskStart.begun, level: 'detail', change: 'exit', actor: 'runc', process: { pid: PID.starter, ppid: PID.shim, name: 'runc' }, exit: { code: 0 }, containerId: CONTAINER, attributes: {} });
  t.at(base + 2200);
  const run = t.say('shim', PID.shim, { type: 'process', id: `process/${PID.container}/exec`, cause: taskStart.begun, level: 'chapter', change: 'exec', actor: 'container', process: { pid: PID.container, ppid: PID.shim, name: 'echo', argv: ['echo', 'hello'] }, containerId: CONTAINER, attributes: {} });
  answer(t, taskStart, { protocol: 'ttrpc', from: 'shim', to: 'containerd', summary: 'OK', level: 'detail', at: base + 2500, cause: null, body: { pid: PID.container } });
  answer(t, tasksStart, { protocol: 'grpc', from: 'containerd', to: 'dockerd', summary: 'OK', level: 'detail', at: base + 3100, cause: null, body: {} });
  answer(t, start, { protocol: 'http', from: 'dockerd', to: 'docker', summary: '204 No Content', level: 'step', at: base + 3900, cause: null });
  t.at(base + 4400).say('shim', PID.shim, { type: 'output', id: 'output/0', cause: run, level: 'step', containerId: CONTAINER, stream: 'stdout', offset: 0, base64: btoa('hello\n'), sizeBytes: 6, truncated: false });

  const exit = t.at(base + 5200).say('shim', PID.shim, { type: 'process', id: `process/${PID.container}/exit`, cause: run, level: 'chapter', change: 'exit', actor: 'container', process: { pid: PID.container, ppid: PID.shim, name: 'echo' }, exit: { code: 0 }, containerId: CONTAINER, attributes: {} });
  const told = t.newSpanId();
  t.at(base + 5600).say('shim', PID.shim, { type: 'message', id: `${told}/event`, cause: exit, level: 'step', spanId: told, protocol: 'ttrpc', direction: 'event', from: { actor: 'shim', pid: PID.shim }, to: { actor: 'containerd', pid: PID.containerd }, summary: '/tasks/exit', body: { container_id: CONTAINER, pid: PID.container, exit_status: 0 }, raw: null });
  t.at(base + 6300).say('containerd', PID.containerd, { type: 'message', id: `${told}/forward`, cause: `${told}/event`, level: 'step', spanId: told, protocol: 'grpc', direction: 'event', from: { actor: 'containerd', pid: PID.containerd }, to: { actor: 'dockerd', pid: PID.dockerd }, summary: '/tasks/exit', body: { container_id: CONTAINER, exit_status: 0 }, raw: null });
  const remove = call(t, { protocol: 'grpc', from: 'dockerd', to: 'containerd', summary: 'Tasks/Delete', name: 'containerd.services.tasks.v1.Tasks/Delete', level: 'step', at: base + 7200, cause: `${told}/forward`, body: { container_id: CONTAINER } });
  answer(t, remove, { protocol: 'grpc', from: 'containerd', to: 'dockerd', summary: 'OK', level: 'detail', at: base + 10_000, cause: null, body: { exit_status: 0 } });
  t.at(base + 10_400).say('containerd', PID.containerd, { type: 'process', id: `process/${PID.shim}/exit`, cause: remove.begun, level: 'step', change: 'exit', actor: 'shim', process: { pid: PID.shim, ppid: 1, name: 'containerd-shim-engineroom-v2' }, exit: { code: 0 }, containerId: CONTAINER, attributes: {} });
  answer(t, wait, { protocol: 'http', from: 'dockerd', to: 'docker', summary: '200 OK', level: 'step', at: base + 12_000, cause: null, body: { StatusCode: 0 } });
  t.at(base + 14_000).say('lab', 300, { type: 'process', id: `process/${PID.docker}/exit`, cause: responseId(wait.client), level: 'chapter', change: 'exit', actor: 'docker', process: { pid: PID.docker, ppid: 300, name: 'docker' }, exit: { code: 0 }, attributes: {} });
  t.say('dockerd', PID.dockerd, { type: 'spanEnded', id: spanEndedId(root), cause: `process/${PID.docker}/exit`, level: 'detail', spanId: root, status: { code: 'ok' }, attributes: {} });
  return t.events;
}
