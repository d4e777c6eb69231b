/**
 * Debian's dockerd and containerd, or ours in the place of one of them, or our runc below both, in mount and network
 * namespaces of their own, so that they meet neither another Docker on the machine nor ours. The shim is Debian's.
 * Upstream: moby cmd/dockerd, containerd cmd/containerd.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importBusybox } from './busybox-image.ts';
import { removeCgroupParent } from '../../support/cgroups.ts';
import { type Engine, untilAnswers } from '../../support/engine.ts';

export interface RealEngine extends Engine {
  /** A process in its namespaces, where its published ports are. */
  readonly insidePid: number;
}

const ours = (binary: string): string =>
  fileURLToPath(new URL(`../../../apps/engine/bin/${binary}`, import.meta.url));

/**
 * `isOurs`: which part is not Debian's. `sharesNetwork`: the network is the caller's, bridge and packet rules
 * included. `runFolder`: where everything is kept that a restart of the machine takes away.
 */
export async function startRealEngine(
  isOurs?: 'runc' | 'containerd' | 'dockerd',
  {
    sharesNetwork = false,
    runFolder,
  }: { readonly sharesNetwork?: boolean; readonly runFolder?: string } = {},
): Promise<RealEngine> {
  const root = mkdtempSync(join(tmpdir(), 'real-engine-'));
  const socket = join(root, 'docker.sock');
  const run = runFolder ?? root;
  const cgroupParent = `/peer-${process.pid}`;
  const log = createWriteStream(join(root, 'daemons.log'));

  const namespaces = sharesNetwork ? ['--mount'] : ['--mount', '--net'];
  // Holds the namespaces; ends when we do, because its standard input ends then.
  const holder = spawn(
    'unshare',
    [...namespaces, '--', 'sh', '-c', 'ip link set lo up; echo ready; exec cat'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  await once(holder.stdout, 'data');
  const inside = (command: string, args: readonly string[]): ChildProcess => {
    const child = spawn(
      'nsenter',
      ['--target', String(holder.pid), ...namespaces, '--', command, ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    return child;
  };

  const containerdSocket = join(root, 'containerd.sock');
  writeFileSync(
    join(root, 'containerd.toml'),
    `version = 2\nroot = "${root}/containerd"\nstate = "${run}/containerd-state"\n` +
      `disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${containerdSocket}"\n`,
  );
  const containerd =
    isOurs === 'containerd'
      ? inside(ours('containerd'), [
          ...['--address', containerdSocket, '--root', join(root, 'containerd')],
          ...['--state', join(run, 'containerd-state')],
        ])
      : inside('containerd', ['--config', join(root, 'containerd.toml')]);
  const dockerd = inside(isOurs === 'dockerd' ? ours('dockerd') : 'dockerd', [
    '--host',
    `unix://${socket}`,
    '--containerd',
    containerdSocket,
    '--pidfile',
    join(root, 'dockerd.pid'),
    '--data-root',
    join(root, 'docker'),
    '--exec-root',
    join(run, 'exec'),
    '--cgroup-parent',
    cgroupParent,
    ...(isOurs === 'dockerd'
      ? ['--default-runtime', 'io.containerd.runc.v2']
      : // The namespace is its own, so its bridge and its rules disturb nobody.
        ['--ip6tables=false']),
    ...(isOurs === 'runc'
      ? ['--add-runtime', `engineroom=${ours('runc')}`, '--default-runtime', 'engineroom']
      : []),
  ]);

  try {
    await untilAnswers(socket);
  } catch (error) {
    throw new Error(`dockerd did not start:\n${readFileSync(join(root, 'daemons.log'), 'utf8')}`, {
      cause: error,
    });
  }
  importBusybox(root, socket);

  return {
    kind: isOurs === 'dockerd' ? 'ours' : 'real',
    socket,
    root,
    cgroupParent,
    insidePid: holder.pid ?? 0,
    async stop() {
      // Told to stop in an orderly way, dockerd stops its containers first.
      for (const daemon of [dockerd, containerd]) {
        if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
        const exited = once(daemon, 'exit');
        daemon.kill('SIGTERM');
        await exited;
      }
      const exited = once(holder, 'exit');
      holder.stdin.end();
      await exited;
      removeCgroupParent(cgroupParent);
      rmSync(root, { recursive: true, force: true });
    },
  };
}
