/** `docker run --rm busybox echo hello` as the engine tells it, in miniature: about 60 ms, six programs, one line. */
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import {
  requestId,
  responseId,
  spanStartedId,
} from '@engine-room/engine/protocol/trace/event-id.ts';
import { INIT, RUNC } from './syscalls.fixture.ts';
import { TraceWriter } from './trace-writer.fixture.ts';

const TRACE = '5f3c9a41b6d24e07a1c2d3e4f5061728';
const ID = '3f9c1d2e4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0';

export const PID = {
  docker: 4102,
  client: 4103,
  dockerd: 812,
  containerd: 640,
  shim: 4188,
  runc: 4209,
  container: 4211,
  kernel: 0,
  lab: 300,
};
/** runc once more, for `start`. */
const STARTER = 4230;

const INODES = {
  'engineroom.namespace.pid': '4026532190',
  'engineroom.namespace.mnt': '4026532187',
  'engineroom.namespace.net': '4026532191',
};

export function aRun(): SequencedEvent[] {
  const t = new TraceWriter(TRACE, PID);
  t.containerId = ID;
  const cli = { pid: PID.docker, ppid: PID.lab, name: 'docker' };
  const born = t.process(
    'lab',
    ['exec', 'docker'],
    { ...cli, argv: ['docker', 'run', '--rm', 'busybox', 'echo', 'hello'] },
    { cause: null, level: 'chapter' },
  );

  const ping = t
    .at(21_000)
    .call(['docker', 'dockerd', 'http'], 'HEAD /_ping', { cause: born, level: 'detail' });
  t.at(21_600).answer(ping, '200 OK');
  const body = { Image: 'busybox', Cmd: ['echo', 'hello'], HostConfig: { Memory: 268435456 } };
  const create = t.at(24_000).call(['docker', 'dockerd', 'http'], 'POST /v1.50/containers/create', {
    cause: born,
    level: 'chapter',
    body,
  });
  const prepare = t.at(26_900).call(['dockerd', 'containerd', 'grpc'], 'Snapshots/Prepare', {
    cause: create.begun,
    level: 'step',
    body: { key: ID },
  });
  t.at(28_300).answer(prepare, 'Snapshots/Prepare answered');
  t.at(29_000).answer(create, '201 Created', { level: 'step', body: { Id: ID, Warnings: [] } });

  const created = responseId(create.client);
  const attach = t
    .at(30_000)
    .call(['docker', 'dockerd', 'http'], `POST /v1.50/containers/${ID}/attach?stream=1`, {
      cause: created,
      level: 'step',
    });
  t.at(30_500).answer(attach, '101 UPGRADED');
  const wait = t
    .at(31_000)
    .call(['docker', 'dockerd', 'http'], `POST /v1.50/containers/${ID}/wait?condition=removed`, {
      cause: created,
      level: 'step',
    });
  const start = t
    .at(32_000)
    .call(['docker', 'dockerd', 'http'], `POST /v1.50/containers/${ID}/start`, {
      cause: created,
      level: 'chapter',
    });

  const tasksCreate = t.at(33_500).call(['dockerd', 'containerd', 'grpc'], 'Tasks/Create', {
    cause: start.begun,
    level: 'chapter',
    body: { container_id: ID },
  });
  const shim = { pid: PID.shim, ppid: 1, name: 'containerd-shim-engineroom-v2' };
  const claimed = t
    .at(34_800)
    .process('containerd', ['claimed', 'shim'], shim, { cause: tasksCreate.begun, level: 'step' });
  const taskCreate = t.at(36_000).call(['containerd', 'shim', 'ttrpc'], 'Task/Create', {
    cause: claimed,
    level: 'chapter',
    body: { id: ID },
  });

  const span = t.newSpanId();
  t.at(38_000).begin('shim', ['internal', 'runc create', span], {
    cause: taskCreate.begun,
    level: 'detail',
  });
  const runc = { pid: PID.runc, ppid: PID.shim, name: 'runc' };
  t.at(38_900).process(
    'shim',
    ['fork', 'runc'],
    { ...runc, argv: ['runc', 'create', ID] },
    { cause: spanStartedId(span), level: 'step' },
  );
  t.at(39_300).syscalls(span, RUNC, PID);
  const init = { pid: PID.container, ppid: PID.runc, name: 'runc:[init]' };
  t.process('shim', ['fork', 'container'], init, {
    cause: `${span}/syscall/runc-3`,
    level: 'chapter',
    attributes: { 'process.vpid': 1, ...INODES },
  });
  t.at(t.now + 120).syscalls(span, INIT, PID);
  const left = t.process('shim', ['exit', 'runc'], runc, {
    cause: spanStartedId(span),
    level: 'step',
    exit: { code: 0 },
  });
  t.process(
    'shim',
    ['reparent', 'container'],
    { ...init, ppid: PID.shim },
    { cause: left, level: 'step' },
  );
  t.end('shim', span, spanStartedId(span));
  const built = t.now;
  t.at(built + 700).answer(taskCreate, 'Task/Create answered', { body: { pid: PID.container } });
  t.at(built + 1_400).answer(tasksCreate, 'Tasks/Create answered', { level: 'step' });

  const tasksStart = t.at(built + 2_000).call(['dockerd', 'containerd', 'grpc'], 'Tasks/Start', {
    cause: responseId(tasksCreate.client),
    level: 'step',
  });
  const taskStart = t.at(built + 2_800).call(['containerd', 'shim', 'ttrpc'], 'Task/Start', {
    cause: tasksStart.begun,
    level: 'step',
  });
  const starter = { pid: STARTER, ppid: PID.shim, name: 'runc' };
  t.at(built + 3_500).process(
    'shim',
    ['fork', 'runc'],
    { ...starter, argv: ['runc', 'start', ID] },
    { cause: taskStart.begun, level: 'detail' },
  );
  t.at(built + 4_100).process('shim', ['exit', 'runc'], starter, {
    cause: taskStart.begun,
    level: 'detail',
    exit: { code: 0 },
  });
  const program = { pid: PID.container, ppid: PID.shim, name: 'echo' };
  const runs = t.process(
    'shim',
    ['exec', 'container'],
    { ...program, argv: ['echo', 'hello'] },
    { cause: taskStart.begun, level: 'chapter' },
  );
  t.at(built + 4_500).answer(taskStart, 'Task/Start answered');
  t.at(built + 5_100).answer(tasksStart, 'Tasks/Start answered');
  t.at(built + 5_900).answer(start, '204 No Content', { level: 'step' });
  t.at(built + 6_400).say('dockerd', {
    type: 'output',
    id: 'output/0',
    cause: runs,
    level: 'step',
    containerId: ID,
    stream: 'stdout',
    offset: 0,
    base64: btoa('hello\n'),
    sizeBytes: 6,
    truncated: false,
  });

  const exited = t.at(built + 7_200).process('shim', ['exit', 'container'], program, {
    cause: runs,
    level: 'chapter',
    exit: { code: 0 },
  });
  const told = t
    .at(built + 7_600)
    .push(['shim', 'containerd', 'ttrpc'], '/tasks/exit', { cause: exited, level: 'step' });
  const heard = t
    .at(built + 8_300)
    .push(['containerd', 'dockerd', 'grpc'], '/tasks/exit', { cause: told, level: 'step' });
  const remove = t
    .at(built + 9_200)
    .call(['dockerd', 'containerd', 'grpc'], 'Tasks/Delete', { cause: heard, level: 'step' });
  t.at(built + 12_000).answer(remove, 'Tasks/Delete answered');
  t.at(built + 12_400).process('containerd', ['exit', 'shim'], shim, {
    cause: remove.begun,
    level: 'step',
    exit: { code: 0 },
  });
  t.at(built + 14_000).answer(wait, '200 OK', { level: 'step', body: { StatusCode: 0 } });
  t.at(built + 16_000).process('lab', ['exit', 'docker'], cli, {
    cause: requestId(wait.client),
    level: 'chapter',
    exit: { code: 0 },
  });
  return t.events;
}
