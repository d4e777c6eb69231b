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
import type { CreateTaskRequest } from '../protocol/gen/task/shim_pb.ts';
import { currentContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { ContainerStory } from './container-story.ts';
import { saveContainerTrace } from './container-trace.ts';
import { runcRootOf, type ShimIdentity } from './identity.ts';
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
  readonly runcRoot: string;
  readonly rootfs: string;
}

export class Container {
  readonly id: string;
  readonly init: InitProcess;
  readonly story: ContainerStory;
  readonly #parts: ContainerParts;
  readonly #runcRoot: string;
  readonly #rootfs: string;

  private constructor(made: Made) {
    this.id = made.parts.identity.id;
    this.#parts = made.parts;
    this.init = made.init;
    this.story = made.story;
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
    const story = new ContainerStory(tracer, id, argvIn(bundle));
    const runcRoot = runcRootOf(identity, runcRootIn(request.options));
    const rootfs = join(bundle, 'rootfs');
    const paths = { stdin, stdout, stderr, terminal };
    mountRootfs(native, tracer, rootfs, request.rootfs);
    let stdio: ContainerStdio | undefined;
    let created: CreatedContainer | undefined;
    try {
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
        onExit: (exit: Exit) => onExit(container, exit),
      };
      const container: Container = new Container({
        parts,
        init: new InitProcess(options),
        story,
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
    await this.#parts.runc.start(this.#runcRoot, this.id);
    this.story.started(this.init.pid);
    this.init.markStarted();
  }

  /** Postcondition: no cgroup, no mount, no state of runc is left. Precondition: stopped. */
  async delete(): Promise<Exit> {
    const { exit } = this.init;
    if (!exit)
      throw new EngineError('failed_precondition', `cannot delete a ${this.init.state} process`);
    const { runc, native, tracer } = this.#parts;
    await runc.delete(this.#runcRoot, this.id, true);
    this.init.release();
    unmountRootfs(native, tracer, this.#rootfs);
    return exit;
  }
}

/** For the trace alone: whether config.json makes sense is runc's to say. */
const argvIn = (bundle: string): readonly string[] => {
  try {
    const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as {
      process?: { args?: unknown };
    } | null;
    const args = config?.process?.args;
    return Array.isArray(args) ? args.filter((argument) => typeof argument === 'string') : [];
  } catch {
    return [];
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
