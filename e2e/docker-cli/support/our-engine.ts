/** Our engine, started as `npm start` does: the lab, in throw-away folders, on a free port, in a cgroup of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Engine, untilAnswers } from './engine.ts';

const REPOSITORY = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

export interface OurEngine extends Engine {
  /** Where the page is served, with the token in its fragment. */
  readonly url: string;
  readonly labPid: number;
  readonly execRoot: string;
  /** From the pidfile: changes when the lab has restarted the daemon. */
  pidOf(daemon: 'dockerd' | 'containerd'): number;
  /** SIGKILL for the lab alone. The daemons and the containers go on. */
  killLab(): Promise<void>;
}

export async function startOurEngine(flags: readonly string[] = []): Promise<OurEngine> {
  const root = mkdtempSync(join(tmpdir(), 'our-engine-'));
  const execRoot = join(root, 'exec');
  const cgroupParent = `/engine-room-test-${process.pid}-${root.slice(-6)}`;
  const lab = spawn(
    join(REPOSITORY, 'apps/engine/bin/lab'),
    [
      ...['--port', '0', '--no-open', '--data-root', join(root, 'data'), '--exec-root', execRoot],
      ...['--cgroup-parent', cgroupParent, ...flags],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const labExited = once(lab, 'exit');
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      const match = /Open\s+(http\S+)/.exec(said);
      if (match?.[1]) resolve(match[1]);
    };
    lab.stdout.on('data', listen);
    lab.stderr.on('data', listen);
    void labExited.then(([code]) =>
      reject(new Error(`the lab ended with ${String(code)}:\n${said}`)),
    );
  });
  const socket = join(execRoot, 'docker.sock');
  await untilAnswers(socket);

  const pidOf = (daemon: 'dockerd' | 'containerd') =>
    Number(readFileSync(join(execRoot, `${daemon}.pid`), 'utf8'));
  return {
    kind: 'ours',
    socket,
    root,
    execRoot,
    cgroupParent,
    url,
    labPid: lab.pid ?? 0,
    pidOf,
    async killLab() {
      lab.kill('SIGKILL');
      await labExited;
    },
    async stop() {
      if (lab.exitCode === null && lab.signalCode === null) {
        lab.kill('SIGTERM');
        await labExited;
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}
