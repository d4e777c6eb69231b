/**
 * What is known of a container while it is created, before it has a process: most of its state.json, and what hooks and
 * seccomp agents are told. Upstream: runc libcontainer/container_linux.go (currentOCIState, currentState).
 */
import { isAbsolute, join } from 'node:path';
import type { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { cgroupPathsOf } from './cgroups/paths.ts';
import { hasHooks } from './hooks.ts';
import type { HostFacts } from './host-facts.ts';
import type { StateFile } from './state-file.ts';

export const newState = (creation: {
  readonly facts: HostFacts;
  readonly spec: RuntimeSpec;
  readonly id: string;
  readonly bundle: string;
}): Omit<StateFile, 'pid' | 'startTime'> => {
  const { spec, id, bundle } = creation;
  return {
    ociVersion: spec.ociVersion,
    id,
    bundle,
    rootfs: isAbsolute(spec.root.path) ? spec.root.path : join(bundle, spec.root.path),
    created: new Date().toISOString(),
    annotations: spec.annotations ?? {},
    cgroupPaths: cgroupPathsOf(creation),
    hasHooks: hasHooks(spec),
  };
};
