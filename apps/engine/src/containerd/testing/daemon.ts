/** A real containerd in a folder of its own, for tests: started, killed and started again as a process. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { createGrpcChannel, type GrpcChannel } from '../../transport/grpc-client.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { isSocketAlive } from '../../transport/unix-socket.ts';
import { mountsBelow } from '../runtime/mounts.ts';

const ENGINE = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const BINARY = join(ENGINE, 'bin/containerd');
const START_TIMEOUT_MS = 20_000;

/** The bundles of containerd and its shim, made from the sources as they are. */
export const buildDaemons = (): void => {
  execFileSync(
    'node',
    [join(ENGINE, '../../scripts/build-engine.mjs'), 'containerd', 'containerd-shim'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
};

export class TestDaemon {
  readonly folder = mkdtempSync(join(tmpdir(), 'ctd-'));
  readonly address = join(this.folder, 'c.sock');
  readonly root = join(this.folder, 'root');
  readonly state = join(this.folder, 'state');
  /** What the daemon and its shims tell the lab. */
  readonly events: TraceEvent[] = [];
  log = '';
  readonly #collector: Server;
  readonly #channels: GrpcChannel[] = [];
  #child: ChildProcess | undefined;

  constructor() {
    this.#collector = createServer((socket) => {
      let rest = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        this.events.push(...lines.map((line) => JSON.parse(line) as TraceEvent));
      });
      socket.on('error', () => undefined);
    }).listen(join(this.folder, 'trace.sock'));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  argv(): string[] {
    return [
      '--address',
      this.address,
      '--root',
      this.root,
      '--state',
      this.state,
      '--pidfile',
      join(this.folder, 'pid'),
      '-l',
      'debug',
    ];
  }

  async start(environment: Record<string, string> = {}): Promise<void> {
    const child = spawn(BINARY, this.argv(), {
      env: {
        ...process.env,
        ENGINE_ROOM_TRACE_SOCKET: join(this.folder, 'trace.sock'),
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => (this.log += text));
    await until(
      () => isSocketAlive(this.address),
      `containerd to listen:\n${this.log}`,
      START_TIMEOUT_MS,
    );
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return exited;
  }

  channel(namespace = 'moby', tracer?: Tracer): GrpcChannel {
    const channel = createGrpcChannel({
      socketPath: this.address,
      peer: 'containerd',
      namespace,
      ...(tracer ? { tracer } : {}),
    });
    this.#channels.push(channel);
    return channel;
  }

  async ctr(...argv: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(
      'ctr',
      ['-a', this.address, '-n', 'moby', ...argv],
      { timeout: 30_000 },
    );
    return stdout;
  }

  /** Shims of this daemon that live: their environment says whose they are. */
  shims(): number[] {
    return execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes('containerd-shim'))
      .map((line) => Number(line.trim().split(' ')[0]))
      .filter((pid) => environmentOf(pid).includes(`TTRPC_ADDRESS=${this.address}.ttrpc`));
  }

  mounts(): string[] {
    return mountsBelow(this.folder);
  }

  /** Ends everything that belongs to this daemon. */
  async dispose(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.kill('SIGTERM');
    for (const pid of this.shims()) process.kill(pid, 'SIGKILL');
    for (const target of this.mounts()) execFileSync('umount', ['-l', target]);
    this.#collector.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const environmentOf = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
};

/** Asks again until it is so; only for what nobody announces (a foreign process, a file). */
export const until = async (
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(20);
  }
};
