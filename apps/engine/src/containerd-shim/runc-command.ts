/**
 * What the shim has runc do. The plan is compiled in this process and executed by a short-lived process named `runc`;
 * upstream's shim executes the `runc` command line at this place. Errors get the words that upstream's shim adds.
 * Upstream: containerd cmd/containerd-shim-runc-v2/process/init.go, github.com/containerd/go-runc.
 */
import type { Native } from '../../../../native/native.ts';
import { createContainer, type CreatedContainer } from '../libcontainer/create-container.ts';
import { deleteContainer } from '../libcontainer/delete-container.ts';
import { execContainer, type ExecutedProcess } from '../libcontainer/exec-container.ts';
import { readHostFacts, type HostFacts } from '../libcontainer/host-facts.ts';
import { startContainer } from '../libcontainer/start-container.ts';
import { updateContainer } from '../libcontainer/update-container.ts';
import { EngineError, kindOf, messageOf } from '../protocol/errdefs.ts';
import type { LinuxResources, Process } from '../protocol/oci/runtime-spec.ts';
import type { Tracer } from '../tracing/tracer.ts';

/** `OCI runtime create failed: runc create failed: unable to start container process: exec: …` */
const withWords =
  (words: string) =>
  (error: unknown): never => {
    throw new EngineError('unknown', `${words}: ${messageOf(error)}`, { cause: error });
  };

export class RuncCommand {
  readonly #native: Native;
  readonly #tracer: Tracer;
  #facts: HostFacts | undefined;

  constructor(native: Native, tracer: Tracer) {
    this.#native = native;
    this.#tracer = tracer;
  }

  /** What the plan compiler must know of this machine: read once, ahead of time where there is time. */
  prepare(): HostFacts {
    return (this.#facts ??= readHostFacts());
  }

  create(options: {
    readonly root: string;
    readonly id: string;
    readonly bundle: string;
    readonly stdio: readonly [number, number, number];
  }): Promise<CreatedContainer> {
    const facts = this.#facts ? { facts: this.#facts } : {};
    return createContainer({
      native: this.#native,
      tracer: this.#tracer,
      ...options,
      ...facts,
    }).catch(withWords('OCI runtime create failed'));
  }

  start(root: string, id: string): Promise<void> {
    return startContainer({ native: this.#native, tracer: this.#tracer, root, id }).catch(
      withWords('OCI runtime start failed'),
    );
  }

  /** Resolves when the program runs. It is our child then, and may have exited already. */
  exec(options: {
    readonly root: string;
    readonly id: string;
    readonly process: Process;
    readonly stdio: readonly [number, number, number];
  }): Promise<ExecutedProcess> {
    return execContainer({
      native: this.#native,
      tracer: this.#tracer,
      facts: this.prepare(),
      ...options,
    }).catch(withWords('OCI runtime exec failed'));
  }

  async update(options: {
    readonly root: string;
    readonly id: string;
    readonly resources: LinuxResources;
  }): Promise<void> {
    await updateContainer({
      native: this.#native,
      tracer: this.#tracer,
      facts: this.prepare(),
      ...options,
    });
  }

  async delete(root: string, id: string, force: boolean): Promise<void> {
    try {
      await deleteContainer({ native: this.#native, tracer: this.#tracer, root, id, force });
    } catch (error) {
      if (kindOf(error) !== 'not_found') throw error;
    }
  }
}
