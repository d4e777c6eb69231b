/** Our containerd and dockerd without the lab, with flags of a test's own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeCgroupParent } from '../../support/cgroups.ts';
import { type Engine, untilAnswers } from '../../support/engine.ts';

const BIN = fileURLToPath(new URL('../../../apps/engine/bin/', import.meta.url));

export interface BareDaemon extends Engine {
  /** What dockerd has said so far. */
  said(): string;
  /** Ends the daemons; `stop` removes what they made as well. */
  halt(): Promise<void>;
}

/** `prepare` gets the folder that everything is below, before anything is started. */
export async function startBareDaemon(
  flags: (root: string) => readonly string[],
  prepare: (root: string) => void = () => undefined,
): Promise<BareDaemon> {
  const root = mkdtempSync(join(tmpdir(), 'bare-daemon-'));
  mkdirSync(join(root, 'data'));
  prepare(root);
  const socket = join(root, 'docker.sock');
  const containerdSocket = join(root, 'containerd.sock');
  const cgroupParent = `/bare-daemon-${process.pid}-${root.slice(-6)}`;
  const children: ChildProcess[] = [];
  let said = '';
  const run = (name: string, args: readonly string[]): ChildProcess => {
    const child = spawn(join(BIN, name), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    }
    children.unshift(child);
    return child;
  };
  run('containerd', [
    ...['--address', containerdSocket, '--root', join(root, 'data/containerd')],
    ...['--state', join(root, 'containerd')],
  ]);
  const dockerd = run('dockerd', [
    ...['--host', `unix://${socket}`, '--containerd', containerdSocket],
    ...['--data-root', join(root, 'data/docker'), '--exec-root', join(root, 'exec')],
    ...['--cgroup-parent', cgroupParent, ...flags(root)],
  ]);
  const halt = async (): Promise<void> => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
  };
  const stop = async (): Promise<void> => {
    await halt();
    removeCgroupParent(cgroupParent);
    rmSync(root, { recursive: true, force: true });
  };
  try {
    const ended = once(dockerd, 'exit').then(() => Promise.reject(new Error('it has ended')));
    await Promise.race([untilAnswers(socket), ended]);
    // From here on its end is the end of the test.
    ended.catch(() => undefined);
  } catch (error) {
    await stop();
    throw new Error(`dockerd did not start:\n${said}`, { cause: error });
  }
  return {
    kind: 'ours',
    socket,
    root,
    cgroupParent,
    said: () => said,
    halt,
    stop,
  };
}
