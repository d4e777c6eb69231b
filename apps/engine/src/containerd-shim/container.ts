/**
 * One container as the shim makes it: root filesystem, stdio, runc, and at the end all of it in reverse.
 * Upstream: containerd cmd/containerd-shim-runc-v2/runc/container.go.
 */
import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Native } from '../../../../native/native.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { OptionsSchema, type Options } from '../protocol/gen/containerd/runc-options_pb.ts';
import type { CreateTaskRequest, ExecProcessRequest } from '../protocol/gen/task/shim_pb.ts';
import { type LinuxResources, Process, type RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { currentContext, withContext } from '../tracing/context.ts';
import { passGate } from '../tracing/gate.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { ContainerCgroup } from './container-cgroup.ts';
import { ContainerStory } from './container-story.ts';
import { saveContainerTrace } from './container-trace.ts';
import { ExecProcess } from './exec-process.ts';
import { ForeignRuntime } from './foreign-runtime.ts';
import { runcRootOf, saveRuntimeChoice, type ShimIdentity } from './identity.ts';
import { InitProcess, type Exit } from './init-process.ts';
import { inShimsWords, type BornProcess, type OciRuntime } from './oci-runtime.ts';
import type { Reaper } from './reaper.ts';
import { mountRootfs, unmountRootfs } from './rootfs-mount.ts';
import type { RuncCommand } from './runc-command.ts';
import { joinShimCgroup } from './shim-process.ts';
import type { SpecAhead } from './spec-ahead.ts';
import { ContainerStdio, type StdioOwner } from './stdio.ts';

export interface ContainerParts {
  readonly identity: ShimIdentity;
  readonly native: Native;
  readonly tracer: Tracer;
  readonly runc: RuncCommand;
  readonly reaper: Reaper;
  readonly specs: SpecAhead;
}

interface Made {
  readonly parts: ContainerParts;
  readonly init: InitProcess;
  readonly story: ContainerStory;
  readonly sharesPids: boolean;
  readonly argv: readonly string[];
  readonly runtime: OciRuntime;
  readonly runcRoot: string;
  readonly rootfs: string;
  readonly owner: StdioOwner;
  readonly mayHavePoststopHooks: boolean;
}

export class Container {
  readonly id: string;
  readonly init: InitProcess;
  readonly story: ContainerStory;
  /** Its pid namespace is not its own: the end of its first process is not the end of the others. */
  readonly sharesPids: boolean;
  readonly execs = new Map<string, ExecProcess>();
  readonly #parts: ContainerParts;
  readonly #argv: readonly string[];
  readonly #runtime: OciRuntime;
  readonly #runcRoot: string;
  readonly #rootfs: string;
  readonly #owner: StdioOwner;
  readonly #mayHavePoststopHooks: boolean;

  private constructor(made: Made) {
    this.id = made.parts.identity.id;
    this.#parts = made.parts;
    this.init = made.init;
    this.story = made.story;
    this.sharesPids = made.sharesPids;
    this.#argv = made.argv;
    this.#runtime = made.runtime;
    this.#runcRoot = made.runcRoot;
    this.#rootfs = made.rootfs;
    this.#owner = made.owner;
    this.#mayHavePoststopHooks = made.mayHavePoststopHooks;
  }

  /** Postcondition: the process waits for its start; or nothing is left behind. */
  static async create(
    parts: ContainerParts,
    request: CreateTaskRequest,
    onExit: (container: Container, exit: Exit) => void,
  ): Promise<Container> {
    const { native, tracer, reaper, identity } = parts;
    const { id, bundle, stdin, stdout, stderr, terminal } = request;
    const context = currentContext();
    if (context) saveContainerTrace(bundle, context);
    const spec = parts.specs.take(bundle);
    const argv = spec?.process?.args ?? [];
    const story = new ContainerStory(tracer, { containerId: id, argv, isInit: true });
    const options = optionsIn(request.options);
    joinShimCgroup(options?.shimCgroup ?? '');
    const runtime = runtimeFor(parts, options);
    saveRuntimeChoice(bundle, { root: options?.root ?? '', binary: options?.binaryName ?? '' });
    const runcRoot = runcRootOf(identity, options?.root ?? '');
    const rootfs = join(bundle, 'rootfs');
    const paths = { stdin, stdout, stderr, terminal };
    const owner = {
      namespace: identity.namespace,
      containerId: id,
      uid: options?.ioUid ?? 0,
      gid: options?.ioGid ?? 0,
    };
    mountRootfs(native, tracer, rootfs, request.rootfs);
    let stdio: ContainerStdio | undefined;
    let created: BornProcess | undefined;
    try {
      await passGate(tracer, { gate: 'rootfs-mounted', source: __SOURCE__ });
      stdio = new ContainerStdio(native, paths, owner);
      await stdio.ready();
      const { containerFds } = stdio;
      created = await runtime.create({
        root: runcRoot,
        id,
        bundle,
        spec,
        stdio: containerFds,
        terminal,
      });
      story.created(created.pid);
      // The exit may be known before the constructor of InitProcess has returned, never before this function has.
      const initOptions = {
        native,
        reaper,
        bundle,
        paths,
        stdio,
        created,
        cgroup: ContainerCgroup.of(created.pid, parts.runc.prepare().hierarchies),
        beforeReaping: () => heldAsZombie(tracer, story, created?.pid ?? 0),
        onExit: (exit: Exit) => onExit(container, exit),
      };
      const container: Container = new Container({
        parts,
        init: new InitProcess(initOptions),
        story,
        sharesPids: spec !== undefined && !hasOwnPids(spec),
        mayHavePoststopHooks: !spec || (spec.hooks?.poststop ?? []).length > 0,
        argv,
        runtime,
        runcRoot,
        rootfs,
        owner,
      });
      return container;
    } catch (error) {
      // A container that nobody will ever know of must not stay.
      if (created) await runtime.delete({ root: runcRoot, id, bundle }, true);
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
    const { pid } = this.init;
    await this.#runtime.start({ ...this.#place, pid, argv: this.#argv });
    this.story.started(this.init.pid);
    this.init.markStarted();
  }

  /** New limits; what `resources` does not name stays as it is. */
  async update(resources: LinuxResources): Promise<void> {
    await this.#runtime.update({ ...this.#place, resources });
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
        runtime: this.#runtime,
        container: this.#place,
        owner: this.#owner,
        execId,
        spec: { ...processIn(spec), terminal },
        paths: { stdin, stdout, stderr, terminal },
        onExit,
      }),
    );
  }

  get #place(): { readonly root: string; readonly id: string; readonly bundle: string } {
    return { root: this.#runcRoot, id: this.id, bundle: this.init.bundle };
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
    const { native, tracer } = this.#parts;
    const isDeleted = this.#runtime.delete(this.#place, true);
    // The last hooks may look at the root. Where there are none, the kernel takes it away while runc is at work.
    const isIdle = this.#mayHavePoststopHooks ? isDeleted : setImmediate();
    const isUnmounted = isIdle.then(() => unmountRootfs(native, tracer, this.#rootfs));
    await Promise.all([isDeleted, isUnmounted]);
    this.init.release();
    for (const exec of this.execs.values()) exec.release();
    return exit;
  }
}

export const checkCreate = (
  { id, bundle, checkpoint }: CreateTaskRequest,
  identity: ShimIdentity,
): void => {
  const bad = (words: string): EngineError => new EngineError('invalid_argument', words);
  if (id !== identity.id) throw bad(`this is the shim of ${identity.id}, not of ${id}`);
  if (!bundle.startsWith('/')) throw bad(`bundle ${JSON.stringify(bundle)} is no absolute path`);
  if (checkpoint)
    throw new EngineError(
      'not_implemented',
      'create from a checkpoint is not supported by this shim',
    );
};

/** The process is gone, its exit code is not: the kernel keeps both until somebody asks. */
const heldAsZombie = (tracer: Tracer, story: ContainerStory, pid: number): Promise<void> =>
  withContext(story.context, () =>
    passGate(tracer, { gate: 'exited-not-reaped', subjectPid: () => pid, source: __SOURCE__ }),
  );

const hasOwnPids = ({ linux }: RuntimeSpec): boolean =>
  (linux?.namespaces ?? []).some(({ type, path }) => type === 'pid' && !path);

const processIn = (spec: Any | undefined): Process => {
  try {
    return Process.parse(JSON.parse(Buffer.from(spec?.value ?? []).toString()));
  } catch (error) {
    throw new EngineError('invalid_argument', `process: ${messageOf(error)}`);
  }
};

/** Undefined when there are none, or options of somebody else's runtime. */
const optionsIn = (options: Any | undefined): Options | undefined => {
  if (!options?.typeUrl.endsWith(OptionsSchema.typeName)) return undefined;
  try {
    return fromBinary(OptionsSchema, options.value);
  } catch (error) {
    throw new EngineError('invalid_argument', `runtime options: ${messageOf(error)}`);
  }
};

/** `binary_name`: another runtime. What our own does not do is said, not ignored. */
const runtimeFor = (
  { native, tracer, runc }: ContainerParts,
  options: Options | undefined,
): OciRuntime => {
  const { binaryName: binary = '', systemdCgroup, noPivotRoot, noNewKeyring } = options ?? {};
  if (binary !== '')
    return inShimsWords(
      new ForeignRuntime(native, tracer, {
        binary,
        globalFlags: systemdCgroup ? ['--systemd-cgroup'] : [],
        createFlags: [
          ...(noPivotRoot ? ['--no-pivot'] : []),
          ...(noNewKeyring ? ['--no-new-keyring'] : []),
        ],
      }),
    );
  for (const [name, isAsked] of Object.entries({ systemdCgroup, noPivotRoot, noNewKeyring }))
    if (isAsked)
      throw new EngineError('not_implemented', `runtime option ${name} is not supported`);
  return inShimsWords(runc);
};
