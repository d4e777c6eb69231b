/** The config.json of a small container: busybox in namespaces of its own. */
import {
  capabilities,
  DOCKER_CAPABILITIES,
  dockerMounts,
} from '../../libcontainer/testing/bundle.ts';
import type { Linux, Process } from '../../protocol/oci/runtime-spec.ts';

export interface Wanted {
  readonly args: readonly string[];
  readonly process?: Partial<Process>;
  readonly memoryLimit?: number;
  readonly seccomp?: Linux['seccomp'];
  /** A shell command that runc waits for before it creates the container. */
  readonly createRuntimeHook?: string;
}

export const containerConfig = (
  { args, process: changes, memoryLimit, seccomp, createRuntimeHook: hook }: Wanted,
  cgroupsPath: string,
) => ({
  ociVersion: '1.0.2',
  root: { path: 'rootfs' },
  hostname: 'box',
  mounts: dockerMounts(),
  process: {
    user: { uid: 0, gid: 0 },
    args,
    env: ['PATH=/bin', 'TERM=xterm'],
    cwd: '/',
    capabilities: capabilities(DOCKER_CAPABILITIES),
    ...changes,
  },
  ...(hook ? { hooks: { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', hook] }] } } : {}),
  linux: {
    ...(seccomp ? { seccomp } : {}),
    namespaces: ['mount', 'network', 'uts', 'pid', 'ipc'].map((type) => ({ type })),
    cgroupsPath,
    resources: {
      devices: [{ allow: false, access: 'rwm' }],
      ...(memoryLimit ? { memory: { limit: memoryLimit, swap: memoryLimit } } : {}),
    },
  },
});
