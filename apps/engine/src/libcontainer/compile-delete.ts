/**
 * The plan of `runc delete`: the container's cgroups go. Its namespaces and mounts went with its last process.
 * cgroups(7), rmdir(2). Upstream: runc delete.go, opencontainers/cgroups utils.go (RemovePaths).
 */
import { ERRNO } from './plan/errno.ts';
import { AT_FDCWD, number, StageBuilder, text } from './plan/stage-builder.ts';
import type { Plan } from './plan/step.ts';
import type { NativeArchitecture } from './plan/syscall-numbers.ts';

export interface DeleteInput {
  readonly architecture: NativeArchitecture;
  /** Host paths, each after those below it. */
  readonly cgroupFolders: readonly string[];
}

const AT_REMOVEDIR = 0x200;

export const compileDelete = ({ architecture, cgroupFolders }: DeleteInput): Plan => {
  const runc = new StageBuilder(architecture);
  for (const path of cgroupFolders) {
    runc.call('unlinkat', [AT_FDCWD, text(path), number(AT_REMOVEDIR, 'AT_REMOVEDIR')], {
      title: `remove the cgroup ${path}`,
      object: 'cgroup',
      level: 'detail',
      source: __SOURCE__,
      reference: 'man:rmdir(2)',
      // Busy for an instant while the last process is still being buried: the caller looks, and asks again.
      ignore: [ERRNO.ENOENT, ERRNO.EBUSY],
      purpose: 'delete cgroup',
      attributes: { 'engineroom.cgroup.path': path },
    });
  }
  return { parent: runc.steps, init: [], preset: {} };
};
