/**
 * A shim at work: one process that stays with one container, so that dockerd and containerd may come and go.
 * It holds the container's stdio, is its parent, reaps it, keeps its exit code, and answers containerd over ttrpc.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import type { HostFacts } from '../libcontainer/host-facts.ts';
import { messageOf } from '../protocol/errdefs.ts';
import { Task as TaskV2 } from '../protocol/gen/task/shim-v2_pb.ts';
import { Task as TaskV3 } from '../protocol/gen/task/shim_pb.ts';
import { processId } from '../protocol/trace/event-id.ts';
import { currentContext, withContext, type SpanContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { createTtrpcServer, type TtrpcServer } from '../transport/ttrpc-server.ts';
import {
  addressOf,
  checkIdentity,
  RUNTIME_NAME,
  socketPathOf,
  titleOf,
  type ShimIdentity,
} from './identity.ts';
import { EventPublisher } from './publisher.ts';
import { Reaper } from './reaper.ts';
import { RuncCommand } from './runc-command.ts';
import { openShimLog, type ShimLog } from './shim-log.ts';
import { yieldToContainerd } from './shim-process.ts';
import { SpecAhead } from './spec-ahead.ts';
import { TaskService } from './task-service.ts';

/** What a spare has ready before it knows its container. */
export interface ShimParts {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly runc: RuncCommand;
  readonly reaper: Reaper;
  readonly specs: SpecAhead;
}

export const prepareShim = (native: Native, tracer: Tracer, facts?: HostFacts): ShimParts => {
  const runc = new RuncCommand(native, tracer, facts);
  runc.prepare();
  yieldToContainerd();
  const reaper = new Reaper(native);
  // The container outlives whoever sent these.
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGPIPE'] as const)
    process.on(signal, () => undefined);
  return { native, tracer, runc, reaper, specs: new SpecAhead() };
};

const FLUSH_MS = 2000;

export class Shim {
  readonly address: string;
  readonly #tracer: Tracer;
  readonly #server: TtrpcServer;
  readonly #publisher: EventPublisher;
  readonly #log: ShimLog;
  readonly #socketPath: string;
  #isLeaving = false;

  private constructor(parts: ShimParts, identity: ShimIdentity) {
    const { native, tracer } = parts;
    this.#tracer = tracer;
    this.#socketPath = socketPathOf(identity);
    this.address = addressOf(this.#socketPath);
    this.#log = openShimLog(identity.bundle, {
      runtime: RUNTIME_NAME,
      id: identity.id,
    });
    this.#publisher = new EventPublisher(identity, tracer, this.#log, (fd) =>
      native.peerCredentials(fd),
    );
    const service = new TaskService({
      ...parts,
      identity,
      publisher: this.#publisher,
      onShutdown: () => this.#leaveSoon(),
    });
    this.#server = createTtrpcServer({ tracer })
      .add(TaskV2, service.handlers, __SOURCE__)
      .add(TaskV3, service.handlers, __SOURCE__);
    process.on('SIGTERM', () => {
      if (!service.isBusy) this.#leaveSoon();
    });
    // A mistake in one request must not cost a container its exit code.
    process.on('uncaughtException', (error) => this.#log.warn('uncaught exception', error));
    process.on('unhandledRejection', (error) => this.#log.warn('unhandled rejection', error));
  }

  /** Postcondition: containerd can call, and finds the address in the bundle after its own restart. */
  static async serve(parts: ShimParts, identity: ShimIdentity): Promise<Shim> {
    checkIdentity(identity);
    process.chdir(identity.bundle);
    process.title = titleOf(identity);
    const shim = new Shim(parts, identity);
    await shim.#server.listen(shim.#socketPath, 0o600);
    writeFileSync(join(identity.bundle, 'address'), shim.address, { mode: 0o600 });
    return shim;
  }

  /**
   * Whoever asked starts the same container again as soon as we have hung up: our address is free by then, although
   * events and trace may take us a while. The trace of who asked is where the shim's end belongs.
   */
  #leaveSoon(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const askedBy = currentContext();
    this.#server.stopListening();
    // The answer is on its way by then.
    setImmediate(() => void this.#leave(askedBy));
  }

  async #leave(askedBy: SpanContext | undefined): Promise<void> {
    this.#server.hangUp();
    const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
    try {
      await Promise.race([this.#publisher.flushed(), late]);
      this.#tellExit(askedBy);
      await Promise.race([this.#tracer.flush(), late]);
      this.#publisher.close();
    } catch (error) {
      this.#log.warn('shutdown', messageOf(error));
    }
    process.exit(0);
  }

  /** The last thing that a shim does: nobody waits for it, for it was re-parented at its start. */
  #tellExit(askedBy: SpanContext | undefined): void {
    const { pid, ppid } = process;
    withContext(askedBy, () =>
      this.#tracer.emit({
        type: 'process',
        id: processId(pid, 'exit'),
        change: 'exit',
        actor: 'shim',
        process: { pid, ppid, name: process.title.split(' ')[0] ?? '' },
        exit: { code: 0 },
        level: 'step',
        source: __SOURCE__,
        attributes: { 'process.pid': pid, 'process.exit.code': 0 },
      }),
    );
  }
}
