/**
 * What the shim is for the kernel, beside its container: the cgroup that it is asked to be in, and how soon it is killed
 * when memory is short. Upstream: containerd runtime/v2/shim/util_unix.go (AdjustOOMScore), runtime/v2/runc (ShimCgroup).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { EngineError } from '../protocol/errdefs.ts';
import { ContainerCgroup } from './container-cgroup.ts';

const OOM_SCORE = '/proc/self/oom_score_adj';
const MAX_OOM_SCORE = 1000;

/** One more than containerd, from which it was inherited: rather one container without a shim than none with containerd. */
export const yieldToContainerd = (): void => {
  const inherited = Number(readFileSync(OOM_SCORE, 'utf8'));
  writeFileSync(OOM_SCORE, String(Math.min(inherited + 1, MAX_OOM_SCORE)));
};

/** Moves this process into the cgroup that the runtime's options name, in each hierarchy that has it. */
export const joinShimCgroup = (name: string): void => {
  if (name === '') return;
  const inside = posix.normalize(`/${name}`);
  const folders = ContainerCgroup.of(process.pid)
    .cgroups.map(({ hierarchy }) => join(hierarchy.mountPoint, inside))
    .filter((folder) => existsSync(join(folder, 'cgroup.procs')));
  if (folders.length === 0)
    throw new EngineError('unknown', `failed to load cgroup ${name}: cgroup deleted`);
  for (const folder of folders) writeFileSync(join(folder, 'cgroup.procs'), String(process.pid));
};
