/**
 * What a process does for the first time costs several times as much as what it has done before: V8 has to learn it. The
 * template of shims therefore creates a container before anybody waits for one, several times, and its copies know how.
 *
 * It is a container that cannot be, for the path of its cgroup is longer than the kernel takes. So everything is real, the
 * request over ttrpc, the plan, the process runc and its records, and it ends at runc's third system call: before there is
 * a cgroup, a mount or another process. Nothing has to be taken back but a folder.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { compileStart } from '../libcontainer/compile-start.ts';
import { deleteContainer } from '../libcontainer/delete-container.ts';
import { encodePlan } from '../libcontainer/plan/encode.ts';
import { syscallNames } from '../libcontainer/plan/syscall-numbers.ts';
import { startContainer } from '../libcontainer/start-container.ts';
import { makeStateFolder, readProcess, writeState } from '../libcontainer/state-file.ts';
import { messageOf } from '../protocol/errdefs.ts';
import { Task } from '../protocol/gen/task/shim-v2_pb.ts';
import { SocketExporter } from '../tracing/exporter.ts';
import { Tracer } from '../tracing/tracer.ts';
import { createTtrpcChannel } from '../transport/ttrpc-client.ts';
import { createTtrpcServer } from '../transport/ttrpc-server.ts';
import { checkIdentity, socketPathOf, type ShimIdentity } from './identity.ts';
import type { Publisher } from './publisher.ts';
import { encodeOnce } from './rehearsed-messages.ts';
import { Reaper } from './reaper.ts';
import { RuncCommand } from './runc-command.ts';
import { openShimLog } from './shim-log.ts';
import { SpecAhead } from './spec-ahead.ts';
import { TaskService } from './task-service.ts';

/** So many that V8 takes for often used what is used once in a life. Each makes the template some 20 ms later. */
const ROUNDS = 20;
const PATH_MAX = 4096;

const mount = (destination: string, type: string, options: string[]) => ({
  destination,
  type,
  source: type,
  options,
});

/** As Docker has them. */
const configOf = (round: number): unknown => ({
  ociVersion: '1.0.2',
  root: { path: 'rootfs' },
  hostname: 'nobody',
  mounts: [
    mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev']),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', 'ro']),
    mount('/sys/fs/cgroup', 'cgroup', ['ro', 'nosuid', 'noexec', 'nodev']),
    {
      destination: '/etc/hosts',
      type: 'bind',
      source: '/dev/null',
      options: ['rbind', 'rprivate', 'ro'],
    },
  ],
  process: {
    user: { uid: 0, gid: 0 },
    args: ['true'],
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
    cwd: '/',
    capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
  },
  linux: {
    namespaces: ['mount', 'network', 'uts', 'pid', 'ipc'].map((type) => ({ type })),
    cgroupsPath: `/${'x'.repeat(PATH_MAX)}`,
    resources: { devices: [{ allow: false, access: 'rwm' }], pids: { limit: 8 } },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys'],
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      // Another one each time: the same would only be found in the memory of the first round.
      defaultErrnoRet: round + 1,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [
        { names: syscallNames().filter((_, index) => index % 5 !== 0), action: 'SCMP_ACT_ALLOW' },
        {
          names: ['clone'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 1, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
        },
      ],
    },
  },
});

/**
 * Works in a folder of its own, where a template that was killed may have left something, and which is gone afterwards.
 * Never rejects: a machine that lacks something says so at its first real container. Resolves with the answers to the
 * requests, which are errors.
 */
export const rehearse = async (native: Native, folder: string): Promise<readonly string[]> => {
  const answers: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      // Of the program, spares are to have what a container needs, not what it took to start.
      if (round === ROUNDS - 1) native.dropProgram();
      rmSync(folder, { recursive: true, force: true });
      // Not what is above it: where that has gone, containerd has, and takes nothing away any more.
      mkdirSync(folder, { mode: 0o700 });
      mkdirSync(join(folder, 'rootfs'));
      writeFileSync(join(folder, 'config.json'), JSON.stringify(configOf(round)));
      answers.push(await createIn(native, folder));
    }
    native.keepProgram();
  } catch (error) {
    answers.push(messageOf(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return answers;
};

/** Nothing happens that would have to be told. */
const NOBODY: Publisher = {
  publish: () => undefined,
  flushed: () => Promise.resolve(),
  close: () => undefined,
};

/** What `runc start` and `runc delete` do before they do anything. The container is ourselves: it runs, and both refuse. */
const askAfterOurselves = async (native: Native, tracer: Tracer, root: string): Promise<void> => {
  const [id, { pid }] = ['nobody', process];
  makeStateFolder(root, id);
  writeState(root, {
    ...{ ociVersion: '1.0.2', id, bundle: root, rootfs: root, created: '', annotations: {} },
    ...{ cgroupPaths: {}, hasHooks: false, pid, startTime: readProcess(pid)?.startTime ?? '' },
  });
  for (const verb of [startContainer, deleteContainer])
    await verb({ native, tracer, root, id }).catch(() => undefined);
};

/** What a shim needs between its claim and its first exit, and Node or a library prepares when it is first used. */
const useOnce = (identity: ShimIdentity): void => {
  encodeOnce();
  // As in the state of a container. The first date looks for the time zone.
  new Date().toISOString();
  checkIdentity(identity);
  socketPathOf(identity);
  openShimLog(identity.bundle, { id: identity.id });
  const gone = new AbortController();
  gone.signal.addEventListener('abort', () => undefined, { once: true });
  gone.abort('rehearsed');
};

const createIn = async (native: Native, bundle: string): Promise<string> => {
  const id = 'nothing';
  const address = join(bundle, 'containerd.sock');
  const identity: ShimIdentity = { namespace: id, id, bundle, address, ttrpcAddress: address };
  // Nobody listens there.
  const exporter = new SocketExporter(join(bundle, 'trace.sock'));
  const tracer = new Tracer('shim', exporter);
  const runc = new RuncCommand(native, tracer);
  // The copies of this process are to be children of init, not of ours.
  const reaper = new Reaper({ ...native, setChildSubreaper: () => undefined });
  const service = new TaskService({
    ...{ native, tracer, runc, reaper, identity, specs: new SpecAhead() },
    publisher: NOBODY,
    onShutdown: () => undefined,
  });
  const server = createTtrpcServer({ tracer }).add(Task, service.handlers, __SOURCE__);
  const socketPath = join(bundle, 's');
  await server.listen(socketPath, 0o600);
  const channel = createTtrpcChannel({ socketPath, peer: 'shim', namespace: id, tracer });
  try {
    encodePlan(
      compileStart({ architecture: runc.prepare().architecture, execFifo: bundle, pid: 1 }),
    );
    useOnce(identity);
    await askAfterOurselves(native, tracer, join(bundle, 'runc'));
    const request = { id, bundle, rootfs: [] };
    await tracer.span('rehearsal', {}, () => channel.client(Task).create(request));
    return '';
  } catch (error) {
    return messageOf(error);
  } finally {
    channel.close();
    await server.close();
    reaper.close();
    exporter.close();
  }
};
