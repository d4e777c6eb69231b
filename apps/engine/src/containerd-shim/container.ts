/**
 * One container as the shim makes it: root filesystem, stdio, runc, and at the end all of it in reverse.
 * Upstream: containerd cmd/containerd-shim-runc-v2/runc/container.go.
 */
import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import type { CreatedContainer } from '../libcontainer/create-container.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { OptionsSchema } from '../protocol/gen/containerd/runc-options_pb.ts';
import type { CreateTaskRequest, ExecProcessRequest } from '../protocol/gen/task/shim_pb.ts';
import { type LinuxResources, Process, RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { currentContext, withContext } from '../tracing/context.ts';
import { passGate } from '../tracing/gate.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { ContainerStory } from './container-story.ts';
import { saveContainerTrace } from './container-trace.ts';
import { ExecProcess } from './exec-process.ts';
import { runcRootOf, saveRuncRoot, type ShimIdentity } from './identity.ts';
import { InitProcess, type Exit } from './init-process.ts';
import type { Reaper } from './reaper.ts';
import { mountRootfs, unmountRootfs } from './rootfs-mount.ts';
import type { RuncCommand } from './runc-command.ts';
import { ContainerStdio } from './stdio.ts';

export interface ContainerParts {
  readonly identity: ShimIdentity;
  readonly native: Native;
  readonly tracer: Tracer;
  readonly runc: RuncCommand;
  readonly reaper: Reaper;
}

interface Made {
  readonly parts: ContainerParts;
  readonly init: InitProcess;
  readonly story: ContainerStory;
  readonly sharesPids: boolean;
  readonly runcRoot: string;
  readonly rootfs: string;
}

export class Container {
  readonly id: string;
  readonly init: InitProcess;
  readonly story: ContainerStory;
  /** Its pid namespace is not its own: the end of its first process is not the end of the others. */
  readonly sharesPids: boolean;
  readonly execs = new Map<string, ExecProcess>();
  readonly #parts: ContainerParts;
  readonly #runcRoot: string;
  readonly #rootfs: string;

  private constructor(made: Made) {
    this.id = made.parts.identity.id;
    this.#parts = made.parts;
    this.init = made.init;
    this.story = made.story;
    this.sharesPids = made.sharesPids;
    this.#runcRoot = made.runcRoot;
    this.#rootfs = made.rootfs;
  }

  /** Postcondition: the process waits for its start; or nothing is left behind. */
  static async create(
    parts: ContainerParts,
    request: CreateTaskRequest,
    onExit: (container: Container, exit: Exit) => void,
  ): Promise<Container> {
    const { native, tracer, runc, reaper, identity } = parts;
    const { id, bundle, stdin, stdout, stderr, terminal } = request;
    const context = currentContext();
    if (context) saveContainerTrace(bundle, context);
    const { argv, sharesPids } = factsIn(bundle);
    const story = new ContainerStory(tracer, { containerId: id, argv, isInit: true });
    const root = runcRootIn(request.options);
    saveRuncRoot(bundle, root);
    const runcRoot = runcRootOf(identity, root);
    const rootfs = join(bundle, 'rootfs');
    const paths = { stdin, stdout, stderr, terminal };
    mountRootfs(native, tracer, rootfs, request.rootfs);
    let stdio: ContainerStdio | undefined;
    let created: CreatedContainer | undefined;
    try {
      await passGate(tracer, { gate: 'rootfs-mounted', source: __SOURCE__ });
      stdio = new ContainerStdio(native, paths);
      created = await runc.create({ root: runcRoot, id, bundle, stdio: stdio.containerFds });
      story.created(created.pid);
      // The exit may be known before the constructor of InitProcess has returned, never before this function has.
      const options = {
        native,
        reaper,
        bundle,
        paths,
        stdio,
        created,
        beforeReaping: () => heldAsZombie(tracer, story, created?.pid ?? 0),
        onExit: (exit: Exit) => onExit(container, exit),
      };
      const container: Container = new Container({
        parts,
        init: new InitProcess(options),
        story,
        sharesPids,
        runcRoot,
        rootfs,
      });
      return container;
    } catch (error) {
      // A container that nobody will ever know of must not stay.
      if (created) await runc.delete(runcRoot, id, true);
      stdio?.abandon();
      unmountRootfs(native, tracer, rootfs);
      throw error;
    }
  }

  /** Lets the process run the container's program. */
  async start(): Promise<void> {
    this.init.check('start');
    const gone = new AbortController();
    void this.init.exited.then(() => gone.abort('process is gone'));
    await passGate(this.#parts.tracer, {
      gate: 'created-not-started',
      subjectPid: () => this.init.pid,
      signal: gone.signal,
      source: __SOURCE__,
    });
    // It may have been killed while it was held.
    this.init.check('start');
    await this.#parts.runc.start(this.#runcRoot, this.id);
    this.story.started(this.init.pid);
    this.init.markStarted();
  }

  /** New limits; what `resources` does not name stays as it is. */
  async update(resources: LinuxResources): Promise<void> {
    await this.#parts.runc.update({ root: this.#runcRoot, id: this.id, resources });
  }

  /** Announces one more process; it runs when it is started. */
  addExec(request: ExecProcessRequest, onExit: (process: ExecProcess, exit: Exit) => void): void {
    const { execId, stdin, stdout, stderr, terminal, spec } = request;
    if (this.execs.has(execId)) throw new EngineError('already_exists', `id ${execId}`);
    this.init.check('exec');
    this.execs.set(
      execId,
      new ExecProcess({
        ...this.#parts,
        runcRoot: this.#runcRoot,
        containerId: this.id,
        execId,
        spec: { ...processIn(spec), terminal },
        paths: { stdin, stdout, stderr, terminal },
        onExit,
      }),
    );
  }

  /** Those whose exit is still to come. */
  get runningExecs(): readonly ExecProcess[] {
    return [...this.execs.values()].filter(({ isRunning }) => isRunning);
  }

  /** Postcondition: no cgroup, no mount, no state of runc is left. Precondition: stopped. */
  async delete(): Promise<Exit> {
    const { exit } = this.init;
    if (!exit)
      throw new EngineError('failed_precondition', `cannot delete a ${this.init.state} process`);
    const { runc, native, tracer } = this.#parts;
    await runc.delete(this.#runcRoot, this.id, true);
    this.init.release();
    for (const exec of this.execs.values()) exec.release();
    unmountRootfs(native, tracer, this.#rootfs);
    return exit;
  }
}

/** The process is gone, its exit code is not: the kernel keeps both until somebody asks. */
const heldAsZombie = (tracer: Tracer, story: ContainerStory, pid: number): Promise<void> =>
  withContext(story.context, () =>
    passGate(tracer, { gate: 'exited-not-reaped', subjectPid: () => pid, source: __SOURCE__ }),
  );

interface BundleFacts {
  readonly argv: readonly string[];
  readonly sharesPids: boolean;
}

/** What the shim itself wants to know of config.json. Whether that makes sense is runc's to say. */
const factsIn = (bundle: string): BundleFacts => {
  try {
    const { process: program, linux } = RuntimeSpec.parse(
      JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')),
    );
    const hasOwnPids = (linux?.namespaces ?? []).some(({ type, path }) => type === 'pid' && !path);
    return { argv: program?.args ?? [], sharesPids: !hasOwnPids };
  } catch {
    return { argv: [], sharesPids: false };
  }
};

const processIn = (spec: Any | undefined): Process => {
  try {
    return Process.parse(JSON.parse(Buffer.from(spec?.value ?? []).toString()));
  } catch (error) {
    throw new EngineError('invalid_argument', `process: ${messageOf(error)}`);
  }
};

/** `root` of the runtime's options; empty when there are none, or options of somebody else's runtime. */
const runcRootIn = (options: Any | undefined): string => {
  if (!options?.typeUrl.endsWith(OptionsSchema.typeName)) return '';
  try {
    return fromBinary(OptionsSchema, options.value).root;
  } catch (error) {
    throw new EngineError('invalid_argument', `runtime options: ${messageOf(error)}`);
  }
};
