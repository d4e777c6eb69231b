/**
 * A containerd in throw-away folders, Debian's or ours, and `ctr` to speak to it.
 * Upstream: containerd cmd/containerd, cmd/ctr.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const REPOSITORY = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const START_TIMEOUT_MS = 60_000;
/** A command that hangs is a failure with a name. */
const CTR_TIMEOUT_MS = 60_000;

export type Kind = 'real' | 'ours';

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Containerd {
  readonly kind: Kind;
  readonly root: string;
  readonly address: string;
  /** The runtime that `ctr run` is to name. */
  readonly runtime: string;
  readonly pid: number;
  /**
   * Runs one command; `input` is its standard input. Of `run` and `tasks exec` it comes when ctr listens to the container:
   * ctr opens the FIFOs beside everything else, and loses what a short one has said before. So who speaks, reads first.
   */
  ctr(args: readonly string[], input?: string): Promise<Answer>;
  /** Starts one that goes on, such as `ctr events`. */
  ctrInBackground(args: readonly string[]): ChildProcess;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const daemon = (kind: Kind, root: string, address: string): ChildProcess => {
  if (kind === 'ours') {
    return spawn(
      join(REPOSITORY, 'apps/engine/bin/containerd'),
      ['--address', address, '--root', join(root, 'root'), '--state', join(root, 'state')],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
  }
  const config = join(root, 'config.toml');
  writeFileSync(
    config,
    `version = 2\nroot = "${root}/root"\nstate = "${root}/state"\n` +
      `disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${address}"\n`,
  );
  return spawn('containerd', ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
};

export const startContainerd = async (kind: Kind): Promise<Containerd> => {
  const root = mkdtempSync(join(tmpdir(), `ctr-${kind}-`));
  const address = join(root, 'c.sock');
  const child = daemon(kind, root, address);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await untilListens(address, () => said);
  const spawnCtr = (args: readonly string[]) =>
    spawn('ctr', ['--address', address, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    kind,
    root,
    address,
    runtime: kind === 'ours' ? 'io.containerd.engineroom.v2' : 'io.containerd.runc.v2',
    pid: child.pid ?? 0,
    ctr: (args, input) =>
      answerOf(spawnCtr(args), input, /^(run|tasks exec) /.test(args.join(' '))),
    ctrInBackground: spawnCtr,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      for (const pid of shimsOf(address)) process.kill(pid, 'SIGKILL');
      for (const target of mountsBelow(root)) execFileSync('umount', ['-l', target]);
      rmSync(root, { recursive: true, force: true });
    },
  };
};

const answerOf = async (child: ChildProcess, input = '', isPrompt = false): Promise<Answer> => {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  child.stdin?.on('error', () => undefined);
  const closed = once(child, 'close');
  const timer = setTimeout(() => child.kill('SIGKILL'), CTR_TIMEOUT_MS);
  if (isPrompt && input !== '') await untilHears(child);
  child.stdin?.end(input);
  const [code] = (await closed) as [number | null];
  clearTimeout(timer);
  return { code, ...texts };
};

/** Also when it ends without. Nothing tells of what another process opens, so it is looked at. */
const untilHears = async (ctr: ChildProcess): Promise<void> => {
  while (ctr.exitCode === null && ctr.signalCode === null && !hears(ctr.pid ?? 0)) await sleep(5);
};

const O_PATH = 0o10000000;

/** Both FIFOs are open for reading; before that, ctr has only looked them up. proc_pid_fdinfo(5) */
const hears = (pid: number): boolean => {
  try {
    const open = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const [, flags = ''] =
        /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')) ?? [];
      return parseInt(flags, 8) & O_PATH ? [] : [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    });
    return ['-stdout', '-stderr'].every((end) => open.some((path) => path.endsWith(end)));
  } catch {
    // A descriptor that was closed meanwhile.
    return false;
  }
};

const untilListens = async (address: string, said: () => string): Promise<void> => {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await listens(address))) {
    if (performance.now() > deadline) throw new Error(`containerd did not start:\n${said()}`);
    await sleep(50);
  }
};

const listens = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

/** Shims outlive their containerd; their environment or their arguments say whose they are. */
const shimsOf = (address: string): number[] =>
  execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('containerd-shim'))
    .map((line) => Number(line.trim().split(' ')[0]))
    .filter((pid) => {
      try {
        const of = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
        return [...of('environ'), ...of('cmdline')].some((word) => word.includes(address));
      } catch {
        return false;
      }
    });

const mountsBelow = (folder: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${folder}/`))
    .reverse();
