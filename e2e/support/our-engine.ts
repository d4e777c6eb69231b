/** Our engine, started as `npm start` does: the lab, in throw-away folders, on a free port, in a cgroup of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeCgroupParent } from './cgroups.ts';
import { type Engine, untilAnswers } from './engine.ts';

const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface OurEngine extends Engine {
  /** Where the page is served, with the token in its fragment. */
  readonly url: string;
  readonly execRoot: string;
  /** From the pidfile: changes when the lab has restarted the daemon. */
  pidOf(daemon: 'dockerd' | 'containerd'): number;
  /** SIGKILL for the lab alone. The daemons and the containers go on. */
  killLab(): Promise<void>;
  /** On the same port; it adopts what still lives. */
  restartLab(): Promise<void>;
}

/**
 * `below`: a command that becomes the lab, such as one that gives it a clock of its own. `runFolder`: where everything is
 * kept that a restart of the machine takes away.
 */
export async function startOurEngine(
  flags: readonly string[] = [],
  below: readonly string[] = [],
  runFolder?: string,
): Promise<OurEngine> {
  const root = mkdtempSync(join(tmpdir(), 'our-engine-'));
  // As below /run: others may pass through to the sockets, whose own modes say who may speak.
  chmodSync(root, 0o711);
  const execRoot = join(runFolder ?? root, 'exec');
  const socket = join(execRoot, 'docker.sock');
  const cgroupParent = `/engine-room-test-${process.pid}-${root.slice(-6)}`;
  const start = (port: string) =>
    startLab(below, [
      '--port',
      port,
      '--no-open',
      '--data-root',
      join(root, 'data'),
      '--exec-root',
      execRoot,
      '--cgroup-parent',
      cgroupParent,
      ...flags,
    ]);
  let lab = await start('0');
  await untilAnswers(socket);

  return {
    kind: 'ours',
    socket,
    root,
    execRoot,
    cgroupParent,
    url: lab.url,
    pidOf: (daemon) => Number(readFileSync(join(execRoot, `${daemon}.pid`), 'utf8')),
    async killLab() {
      lab.process.kill('SIGKILL');
      await lab.exited;
    },
    async restartLab() {
      lab = await start(new URL(lab.url).port);
      await untilAnswers(socket);
    },
    async stop() {
      // Only a lab stops its daemons, so a killed one is replaced first.
      if (lab.process.exitCode !== null || lab.process.signalCode !== null) lab = await start('0');
      lab.process.kill('SIGTERM');
      await lab.exited;
      removeCgroupParent(cgroupParent);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The lab as somebody who is not root starts it: a page, recordings, and no daemons. */
export async function startLabWithoutRoot(): Promise<{ url: string; stop(): Promise<void> }> {
  const root = mkdtempSync(join(tmpdir(), 'our-lab-'));
  const [user, group] = [65534, 65534];
  chownSync(root, user, group);
  const lab = await startLab(
    ['setpriv', `--reuid=${user}`, `--regid=${group}`, '--clear-groups'],
    [
      ...['--port', '0', '--no-open'],
      ...['--data-root', `${root}/data`, '--exec-root', `${root}/exec`],
    ],
  );
  return {
    url: lab.url,
    async stop() {
      lab.process.kill('SIGTERM');
      await lab.exited;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

interface Lab {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly url: string;
}

/** Resolves when the lab has printed where to open it. */
async function startLab(below: readonly string[], flags: readonly string[]): Promise<Lab> {
  const [program = '', ...words] = [...below, join(REPOSITORY, 'apps/engine/bin/lab'), ...flags];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      const match = /Open\s+(http\S+)/.exec(said);
      if (match?.[1]) resolve(match[1]);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void exited.then(([code]) => reject(new Error(`the lab ended with ${String(code)}:\n${said}`)));
  });
  return { process: child, exited, url };
}
