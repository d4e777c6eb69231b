/**
 * New limits for a running container: the same files that runc wrote when it made the cgroup, written again.
 * OCI config-linux.md#control-groups. Upstream: runc update.go.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { v1Limits } from '../libcontainer/cgroups/v1.ts';
import { v2Limits } from '../libcontainer/cgroups/v2.ts';
import type { HostFacts } from '../libcontainer/host-facts.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { LinuxResources } from '../protocol/oci/runtime-spec.ts';
import type { ContainerCgroup } from './container-cgroup.ts';

const parse = (json: Uint8Array): LinuxResources => {
  try {
    return LinuxResources.parse(JSON.parse(Buffer.from(json).toString()));
  } catch (error) {
    throw new EngineError('invalid_argument', `resources: ${messageOf(error)}`);
  }
};

/** `json` is the `linux.resources` part of config.json; what it does not name stays as it is. */
export const updateLimits = (cgroup: ContainerCgroup, facts: HostFacts, json: Uint8Array): void => {
  // Which devices a container may use is settled when it is made.
  const { devices: _, ...resources } = parse(json);
  const compile = cgroup.isVersion2 ? v2Limits : v1Limits;
  const writes = [...compile(facts, cgroup.cgroups, resources)].flatMap(([{ path }, limits]) =>
    limits.map(({ file, value }) => ({ path: join(path, file), value })),
  );
  // Version 1 wants memory below memory-and-swap at every moment: which of the two comes first depends on the
  // direction, so what was refused is tried again after the others.
  const refused = writes.filter((write) => !tryWrite(write));
  for (const { path, value } of refused) {
    try {
      writeFileSync(path, value);
    } catch (error) {
      throw new EngineError(
        'invalid_argument',
        `failed to write ${JSON.stringify(value)}: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }
};

const tryWrite = ({ path, value }: { readonly path: string; readonly value: string }): boolean => {
  try {
    writeFileSync(path, value);
    return true;
  } catch {
    return false;
  }
};
