/**
 * What the shim has runc do. The plan is compiled in this process and executed by a short-lived process named `runc`;
 * upstream's shim executes the `runc` command line at this place. Errors get the words that upstream's shim adds.
 * Upstream: containerd cmd/containerd-shim-runc-v2/process/init.go, github.com/containerd/go-runc.
 */
import type { Native } from '../../../../native/native.ts';
import { createContainer } from '../libcontainer/create-container.ts';
import { deleteContainer } from '../libcontainer/delete-container.ts';
import { execContainer } from '../libcontainer/exec-container.ts';
import { readHostFacts, type HostFacts } from '../libcontainer/host-facts.ts';
import { startContainer } from '../libcontainer/start-container.ts';
import { updateContainer } from '../libcontainer/update-container.ts';
import { kindOf } from '../protocol/errdefs.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type {
  BornProcess,
  OciRuntime,
  RuntimeCreate,
  RuntimeExec,
  RuntimeUpdate,
} from './oci-runtime.ts';

export class RuncCommand implements OciRuntime {
  readonly #native: Native;
  readonly #tracer: Tracer;
  #facts: HostFacts | undefined;

  /** `facts`: where somebody has read them already. */
  constructor(native: Native, tracer: Tracer, facts?: HostFacts) {
    this.#native = native;
    this.#tracer = tracer;
    this.#facts = facts;
  }

  /** What the plan compiler must know of this machine: read once, ahead of time where there is time. */
  prepare(): HostFacts {
    return (this.#facts ??= readHostFacts());
  }

  create({ root, id, bundle, spec, stdio }: RuntimeCreate): Promise<BornProcess> {
    return createContainer({ ...this.#common(), root, id, bundle, spec, stdio });
  }

  start({ root, id }: Parameters<OciRuntime['start']>[0]): Promise<void> {
    return startContainer({ native: this.#native, tracer: this.#tracer, root, id });
  }

  exec({ root, id, process, stdio }: RuntimeExec): Promise<BornProcess> {
    return execContainer({ ...this.#common(), root, id, process, stdio });
  }

  async update({ root, id, resources }: RuntimeUpdate): Promise<void> {
    await updateContainer({ ...this.#common(), root, id, resources });
  }

  async delete({ root, id }: Parameters<OciRuntime['delete']>[0], force: boolean): Promise<void> {
    try {
      await deleteContainer({ native: this.#native, tracer: this.#tracer, root, id, force });
    } catch (error) {
      if (kindOf(error) !== 'not_found') throw error;
    }
  }

  #common() {
    return { native: this.#native, tracer: this.#tracer, facts: this.prepare() };
  }
}
