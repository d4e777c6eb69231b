/**
 * Gets a shim for a bundle: claims the waiting spare, or bootstraps one with the shim's own `start`.
 * Upstream: containerd core/runtime/v2/shim_manager.go (startShim).
 */
import type { Any } from '@bufbuild/protobuf/wkt';
import { basename } from 'node:path';
import { EngineError, kindOf, messageOf } from '../../protocol/errdefs.ts';
import { processId } from '../../protocol/trace/event-id.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { CredentialsOfPeer } from '../../transport/unix-socket.ts';
import type { Log } from '../log.ts';
import type { Bundle } from './bundle.ts';
import { seenFromOutside } from './foreign-shim-trace.ts';
import { processFacts } from './process-facts.ts';
import { resolveRuntimePath } from './runtime-path.ts';
import { OWN_SHIM, ShimBinary, type Bootstrap, type ShimSurroundings } from './shim-binary.ts';
import { followShimLog, type FifoMaker } from './shim-log.ts';
import type { ClaimedSpare, SpareKeeper } from './spare.ts';
import { connectTaskClient } from './task-client.ts';
import type { Task } from './task.ts';

export interface ShimStarterOptions {
  readonly surroundings: ShimSurroundings;
  /** Where shims lie beside containerd. */
  readonly ownFolder: string;
  readonly spares: SpareKeeper;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly fifos: FifoMaker;
  readonly credentialsOfPeer?: CredentialsOfPeer;
}

export interface ShimRequest {
  readonly runtime: string;
  readonly options: Any | undefined;
  readonly onDisconnect: () => void;
}

export class ShimStarter {
  readonly #options: ShimStarterOptions;

  constructor(options: ShimStarterOptions) {
    this.#options = options;
  }

  binaryFor(runtime: string): ShimBinary {
    return new ShimBinary(
      resolveRuntimePath(runtime, this.#options.ownFolder),
      this.#options.surroundings,
    );
  }

  /** The command of a bundle that an earlier containerd made. */
  binaryAt(path: string): ShimBinary {
    return new ShimBinary(path, this.#options.surroundings);
  }

  /** Postcondition: a shim listens for this bundle, and the bundle says where. */
  async start(
    bundle: Bundle,
    { runtime, options, onDisconnect }: ShimRequest,
    context: Task['context'],
  ): Promise<Task> {
    const binary = this.binaryFor(runtime);
    const stopLog = followShimLog(bundle, this.#options.fifos);
    try {
      // For a containerd that comes after us, whatever happens next.
      bundle.write('shim-binary-path', binary.path);
      const bootstrap = await this.#bootstrap(bundle, binary, options);
      bundle.write('bootstrap.json', JSON.stringify(bootstrap));
      return await this.connect(bundle, { binary, bootstrap, onDisconnect, context, stopLog });
    } catch (error) {
      stopLog();
      throw new EngineError(
        kindOf(error) === 'internal' ? 'unknown' : kindOf(error),
        `failed to start shim: start failed: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Takes up the line to a shim that listens already. */
  async connect(
    bundle: Bundle,
    {
      bootstrap,
      onDisconnect,
      ...rest
    }: Omit<Task, 'bundle' | 'client'> & { bootstrap: Bootstrap; onDisconnect: () => void },
  ): Promise<Task> {
    const { tracer, credentialsOfPeer } = this.#options;
    const client = connectTaskClient({
      bootstrap,
      namespace: bundle.namespace,
      tracer,
      onDisconnect,
      ...(credentialsOfPeer ? { credentialsOfPeer } : {}),
    });
    await client.connect();
    return { bundle, client, ...rest };
  }

  /** For the shim's log of a bundle that is taken up again. */
  followLog(bundle: Bundle): () => void {
    return followShimLog(bundle, this.#options.fifos);
  }

  async #bootstrap(
    bundle: Bundle,
    binary: ShimBinary,
    options: Any | undefined,
  ): Promise<Bootstrap> {
    const { namespace, id, path } = bundle;
    const claimed = await this.#options.spares.claim(binary.path, { namespace, id, bundle: path });
    if (claimed) {
      this.#tellClaimed(bundle, claimed);
      return claimed.bootstrap;
    }
    return this.#options.tracer.span(
      'shim start',
      {
        level: 'step',
        source: __SOURCE__,
        attributes: { 'process.executable.path': binary.path, 'engineroom.bundle': path },
      },
      async () => {
        const bootstrap = await binary.start(bundle, options);
        await this.#tellStarted(bundle, binary, bootstrap);
        return bootstrap;
      },
    );
  }

  #tellClaimed({ id, namespace }: Bundle, { pid, startTime, readyMs }: ClaimedSpare): void {
    const facts = processFacts(pid);
    this.#options.log.debug('spare shim claimed', { id, namespace, pid, readyMs });
    this.#options.tracer.emit({
      type: 'process',
      id: processId(pid, 'claimed'),
      change: 'claimed',
      actor: 'shim',
      process: {
        pid,
        ppid: facts?.ppid ?? null,
        name: OWN_SHIM,
        ...(facts ? { argv: facts.argv } : {}),
        startTime,
      },
      containerId: id,
      level: 'step',
      source: __SOURCE__,
      attributes: { 'container.id': id, 'process.pid': pid, 'engineroom.spare.ready_ms': readyMs },
    });
  }

  /** `start` has left by now; who listens is told by the kernel, with the socket. */
  async #tellStarted(bundle: Bundle, binary: ShimBinary, bootstrap: Bootstrap): Promise<void> {
    const client = connectTaskClient({
      bootstrap,
      namespace: bundle.namespace,
      tracer: this.#options.tracer,
      onDisconnect: () => undefined,
    });
    try {
      const { shimPid: pid } = await client.calls.connect(
        { id: bundle.id },
        { timeoutMs: CONNECT_TIMEOUT_MS },
      );
      const facts = processFacts(pid);
      this.#options.tracer.emit({
        type: 'process',
        id: processId(pid, 'fork'),
        change: 'fork',
        actor: 'shim',
        process: {
          pid,
          ppid: facts?.ppid ?? null,
          name: basename(binary.path),
          ...(facts ? { argv: facts.argv, startTime: facts.startTime } : {}),
        },
        containerId: bundle.id,
        level: 'step',
        source: __SOURCE__,
        attributes: {
          'container.id': bundle.id,
          'process.pid': pid,
          ...seenFromOutside({ binary }),
        },
      });
    } catch (error) {
      // The trace goes without the birth; the shim itself is asked again when the task is made.
      this.#options.log.debug('shim did not say who it is', {
        id: bundle.id,
        error: messageOf(error),
      });
    } finally {
      client.close();
    }
  }
}

const CONNECT_TIMEOUT_MS = 2000;
