/**
 * Drives a real shim process as containerd does: over its command line, its claim socket and ttrpc. The container is
 * real, too: busybox on an overlay. Beside it stands the ttrpc server of a containerd that can be away.
 */
import { fromBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readHostFacts } from '../../libcontainer/host-facts.ts';
import { native } from '../../native/load.ts';
import type { Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import { Events } from '../../protocol/gen/task/events-ttrpc_pb.ts';
import { Task } from '../../protocol/gen/task/shim-v2_pb.ts';
import type { ClaimAnswer, SpareHello } from '../../protocol/task/claim.ts';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { createTtrpcChannel, type TtrpcChannel } from '../../transport/ttrpc-client.ts';
import { createTtrpcServer, type TtrpcServer } from '../../transport/ttrpc-server.ts';

import {
  connectWhenReady,
  directoriesIn,
  directoryEntries,
  furnish,
  isAlive,
  readJson,
  until,
} from './ask.ts';
import { containerConfig, type Wanted } from './container-config.ts';

const ROOT = resolve(import.meta.dirname, '../../../../..');
const BINARY = join(ROOT, 'apps/engine/bin/containerd-shim-engineroom-v2');
export const NAMESPACE = 'moby';

export const buildShim = (): void =>
  void execFileSync(process.execPath, [join(ROOT, 'scripts/build-engine.mjs'), 'containerd-shim'], {
    stdio: 'pipe',
  });

export interface RunningShim {
  readonly id: string;
  readonly bundle: string;
  readonly address: string;
  readonly channel: TtrpcChannel;
  readonly task: ReturnType<typeof clientOf>;
  readonly pid: number;
}

const clientOf = (channel: TtrpcChannel) => channel.client(Task);

export class ShimBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'shim-'));
  readonly address = join(this.folder, 'c.sock');
  readonly cgroupParent = `/engine-room-shim-${process.pid}`;
  readonly published: Envelope[] = [];
  readonly trace: TraceEvent[] = [];
  readonly tracer: Tracer;
  readonly #collector: Server;
  readonly #lower: string;
  readonly #shims: RunningShim[] = [];
  #containerd: TtrpcServer | undefined;
  #count = 0;
  #template: ReturnType<ShimBench['template']> | undefined;

  constructor() {
    this.#lower = join(this.folder, 'lower');
    furnish(this.#lower);
    this.#collector = createServer((socket) => {
      let rest = '';
      socket.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        this.trace.push(...lines.map((line) => JSON.parse(line) as TraceEvent));
      });
    });
    this.#collector.listen(join(this.folder, 'trace.sock'));
    const exporter = {
      export: (event: TraceEvent) => void this.trace.push(event),
      flush: () => Promise.resolve(),
      close: () => undefined,
    };
    this.tracer = new Tracer('containerd', exporter);
  }

  /** containerd's side of events, which may come and go. */
  async openContainerd(): Promise<void> {
    this.#containerd = createTtrpcServer().add(Events, {
      forward: async ({ envelope }) => {
        if (envelope) this.published.push(envelope);
        return {};
      },
    });
    await this.#containerd.listen(`${this.address}.ttrpc`);
  }

  async closeContainerd(): Promise<void> {
    await this.#containerd?.close();
    this.#containerd = undefined;
    rmSync(`${this.address}.ttrpc`, { force: true });
  }

  topics(): string[] {
    return this.published.map(({ topic }) => topic);
  }

  event<D extends DescMessage>(topic: string, schema: D): MessageShape<D> | undefined {
    const envelope = this.published.find((candidate) => candidate.topic === topic);
    return envelope?.event && fromBinary(schema, envelope.event.value);
  }

  bundle(wanted: Wanted): {
    readonly id: string;
    readonly path: string;
  } {
    const id = `c${(this.#count += 1)}`;
    const path = join(this.folder, 'b', id);
    for (const name of ['rootfs', 'upper', 'work'])
      mkdirSync(join(path, name), { recursive: true });
    const config = containerConfig(wanted, `${this.cgroupParent}/${id}`);
    writeFileSync(join(path, 'config.json'), JSON.stringify(config));
    return { id, path };
  }

  rootfs(bundle: string) {
    const options = [
      `lowerdir=${this.#lower}`,
      `upperdir=${join(bundle, 'upper')}`,
      `workdir=${join(bundle, 'work')}`,
    ];
    return [{ type: 'overlay', source: 'overlay', target: '', options }];
  }

  fifos(
    bundle: string,
    ...names: readonly ('stdin' | 'stdout' | 'stderr')[]
  ): Record<string, string> {
    for (const name of names) native.mkfifo(join(bundle, name), 0o600);
    return Object.fromEntries(names.map((name) => [name, join(bundle, name)]));
  }

  /** By the `start` action. */
  async start(wanted: Wanted): Promise<RunningShim> {
    const { id, path } = this.bundle(wanted);
    return this.startIn(id, path);
  }

  /** The same for a bundle that is there, as when a container is started again. */
  async startIn(id: string, path: string): Promise<RunningShim> {
    const { stdout, stderr, status } = this.command(path, ['-id', id, 'start']);
    if (status !== 0) throw new Error(stderr.toString());
    return this.#connect(id, path, stdout.toString());
  }

  /** By a claim. `claimed` gets the line to the spare that is about to be told. */
  async claim(
    wanted: Wanted,
    claimed: (spare: Socket) => void = () => undefined,
  ): Promise<RunningShim> {
    const { id, path } = this.bundle(wanted);
    const { socket } = await this.spare();
    claimed(socket);
    const claim = {
      namespace: NAMESPACE,
      id,
      bundle: path,
      address: this.address,
      ttrpcAddress: `${this.address}.ttrpc`,
      publishBinary: '',
      debug: false,
    };
    socket.write(`${JSON.stringify(claim)}\n`);
    const answer = await readJson<ClaimAnswer>(socket);
    if ('error' in answer) throw new Error(answer.error);
    return this.#connect(id, path, answer.address);
  }

  /** A spare that has said hello. */
  async spare(): Promise<{ readonly socket: Socket; readonly hello: SpareHello }> {
    const { claimSocket } = await this.template();
    const socket = await connectWhenReady(claimSocket);
    return { socket, hello: await readJson<SpareHello>(socket) };
  }

  /** What spares are copies of; it lasts as long as `line`. */
  template(): Promise<{
    readonly line: Socket;
    readonly hello: SpareHello;
    readonly claimSocket: string;
  }> {
    return (this.#template ??= this.#startTemplate());
  }

  async #startTemplate() {
    const claimSocket = join(this.folder, 'claim.sock');
    spawn(BINARY, ['-address', this.address, 'spare', claimSocket], {
      stdio: 'ignore',
      detached: true,
      env: this.environment(),
    }).unref();
    const line = await connectWhenReady(claimSocket);
    return { line, hello: await readJson<SpareHello>(line), claimSocket };
  }

  command(bundle: string, args: readonly string[]) {
    const flags = [
      '-namespace',
      NAMESPACE,
      '-address',
      this.address,
      '-publish-binary',
      '/bin/true',
    ];
    return spawnSync(BINARY, [...flags, ...args], {
      cwd: bundle,
      env: this.environment(),
      input: '',
    });
  }

  environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      TTRPC_ADDRESS: `${this.address}.ttrpc`,
      ENGINE_ROOM_TRACE_SOCKET: join(this.folder, 'trace.sock'),
    };
  }

  async close(): Promise<void> {
    for (const shim of this.#shims) await this.#dismiss(shim);
    (await this.#template)?.line.destroy();
    await this.closeContainerd();
    this.#collector.close();
    for (const { mountPoint } of readHostFacts().hierarchies) {
      const parent = join(mountPoint, this.cgroupParent);
      if (existsSync(parent)) rmdirSync(parent);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What a container may leave behind. */
  leftovers(): {
    readonly mounts: number;
    readonly cgroups: readonly string[];
    readonly sockets: number;
    readonly states: number;
  } {
    const cgroups = readHostFacts().hierarchies.flatMap(({ mountPoint }) =>
      directoriesIn(join(mountPoint, this.cgroupParent)),
    );
    return {
      mounts: readFileSync('/proc/self/mountinfo', 'utf8').split(this.folder).length - 1,
      cgroups,
      sockets: directoryEntries(join(this.folder, 's')).length,
      states: directoryEntries(join(this.folder, 'runc', NAMESPACE)).length,
    };
  }

  async #dismiss({ id, bundle, channel, task, pid }: RunningShim): Promise<void> {
    if (isAlive(pid)) {
      // What the test has left running; each of these may have happened already.
      await task.kill({ id, signal: 9 }).catch(() => undefined);
      await task.wait({ id }).catch(() => undefined);
      await task.delete({ id }).catch(() => undefined);
      await task.shutdown({ id }).catch(() => undefined);
      await until(() => !isAlive(pid));
    } else if (existsSync(join(this.folder, 'runc', NAMESPACE, id))) {
      this.command(bundle, ['-id', id, '-bundle', bundle, 'delete']);
    }
    channel.close();
  }

  async #connect(id: string, bundle: string, address: string): Promise<RunningShim> {
    const socketPath = address.replace('unix://', '');
    const channel = createTtrpcChannel({
      socketPath,
      peer: 'shim',
      namespace: NAMESPACE,
      tracer: this.tracer,
    });
    const task = clientOf(channel);
    const { shimPid } = await task.connect({ id });
    const shim = { id, bundle, address, channel, task, pid: shimPid };
    this.#shims.push(shim);
    return shim;
  }
}
