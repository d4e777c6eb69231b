/**
 * What the compiler must know of the machine: read once, then compiling a plan is a pure function.
 * proc(5), cgroups(7), capabilities(7).
 */

/** One mounted cgroup hierarchy. Version 1 has one per controller (or a few together), version 2 has one for all. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  /** Where it is mounted on the host, e.g. /sys/fs/cgroup/memory. */
  readonly mountPoint: string;
  /** `memory`, `cpu`, `cpuacct`; on version 2 what cgroup.controllers of the root lists. Empty for `name=systemd`. */
  readonly controllers: readonly string[];
  /** `systemd` for `name=systemd`; null for one with controllers. */
  readonly name: string | null;
  /** The cgroup of this process in it, below the mount point. */
  readonly ownPath: string;
}

export interface HostFacts {
  readonly architecture: 'x64' | 'arm64';
  /** `6.18.44`: major and minor decide what a plan may use. */
  readonly kernel: readonly [major: number, minor: number];
  /** /proc/sys/kernel/cap_last_cap. */
  readonly lastCapability: number;
  /** The bounding set of this process: nothing outside of it can be granted. */
  readonly boundingCapabilities: bigint;
  readonly hierarchies: readonly CgroupHierarchy[];
  /** Whether swap can be limited (memory.memsw.* on version 1, memory.swap.max on version 2). */
  readonly swapAccounting: boolean;
  readonly appArmor: boolean;
  /** /proc/kcore exists, so /dev/core can point to it. */
  readonly kcore: boolean;
}
