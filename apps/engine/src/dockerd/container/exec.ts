/**
 * One `docker exec`: what was asked for, and what has become of it. Kept in memory only, as in Docker: an exec does not
 * outlive the dockerd that made it. Upstream: moby daemon/container/exec.go.
 */
import { randomBytes } from 'node:crypto';
import type { ExecCreateBody } from '../../protocol/docker-engine-api/exec.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { SpanContext } from '../../tracing/context.ts';
import { OutputHub } from '../logger/output-hub.ts';
import type { Container } from './container.ts';
import type { ExecRun } from './exec-run.ts';

export class Exec {
  readonly id = randomBytes(32).toString('hex');
  readonly container: Container;
  readonly config: ExecCreateBody;
  readonly hub = new OutputHub();
  state: 'created' | 'starting' | 'running' | 'exited' = 'created';
  pid = 0;
  exitCode: number | null = null;
  /** FIFOs of a running one whose output or input somebody has. */
  run: ExecRun | null = null;
  startedIn: SpanContext | null = null;
  /** Settled when the start is through, well or not: an exit may be told before. */
  started: Promise<unknown> = Promise.resolve();
  exitedAt = 0;
  /** Resolves when it is over and its exit code is known. */
  readonly ended: Promise<void>;
  hasEnded: () => void = () => undefined;

  constructor(container: Container, config: ExecCreateBody) {
    this.container = container;
    this.config = config;
    this.ended = new Promise((resolve) => (this.hasEnded = resolve));
  }
}

/** As long as in Docker, a client that has seen its stream end can ask for the exit code. */
const KEPT_MS = 5 * 60_000;
/** A flood of them is not kept for as long. */
const KEPT_COUNT = 1000;

export class ExecStore {
  readonly #byId = new Map<string, Exec>();

  add(exec: Exec): void {
    this.#forget(Date.now() - KEPT_MS);
    this.#byId.set(exec.id, exec);
  }

  byId(id: string): Exec | undefined {
    return this.#byId.get(id);
  }

  /** By whole id only, as in Docker. */
  find(id: string): Exec {
    const exec = this.#byId.get(id);
    if (!exec) throw new EngineError('not_found', `No such exec instance: ${id}`);
    return exec;
  }

  of(container: Container): Exec[] {
    return [...this.#byId.values()].filter((exec) => exec.container === container);
  }

  /** The container is gone, and nobody can ask for its execs. */
  removeAll(container: Container): void {
    for (const { id } of this.of(container)) this.#byId.delete(id);
  }

  #forget(before: number): void {
    const exited = [...this.#byId.values()].filter(({ state }) => state === 'exited');
    const tooMany = exited.length - KEPT_COUNT;
    exited.forEach(({ id, exitedAt }, index) => {
      if (exitedAt < before || index < tooMany) this.#byId.delete(id);
    });
  }
}
