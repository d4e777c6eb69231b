/**
 * Cgroups of a container that is gone, with those that it made inside of its own.
 * cgroups(7). Upstream: opencontainers/cgroups utils.go.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../protocol/errdefs.ts';
import { compileDelete } from './compile-delete.ts';
import type { Plan } from './plan/step.ts';
import type { NativeArchitecture } from './plan/syscall-numbers.ts';
import type { PlanOutcome } from './run-plan.ts';

/** Each folder after those below it. */
export const cgroupFoldersBelow = (path: string): readonly string[] => {
  if (!existsSync(path)) return [];
  const children = readdirSync(path, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return [...children.flatMap(({ name }) => cgroupFoldersBelow(join(path, name))), path];
};

const ATTEMPTS = 100;
const PAUSE_MS = 20;

/**
 * As upstream: at first as if no container had made cgroups of its own, which is true of nearly all; only where that
 * does not do is it looked what is there. The kernel refuses to remove a cgroup while a process in it is still being
 * buried, and version 1 has no event for its end: so the attempt is repeated, within limits.
 */
export const removeCgroups = async (
  paths: readonly string[],
  architecture: NativeArchitecture,
  run: (plan: Plan) => Promise<PlanOutcome>,
): Promise<void> => {
  if (paths.length === 0) return;
  const { isFlawless } = await run(compileDelete({ architecture, cgroupFolders: paths }));
  if (isFlawless) return;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const cgroupFolders = paths.flatMap(cgroupFoldersBelow);
    if (cgroupFolders.length === 0) return;
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await run(compileDelete({ architecture, cgroupFolders }));
    if (!cgroupFolders.some((path) => existsSync(path))) return;
    for (const pid of pidsIn(cgroupFolders)) kill(pid);
  }
  throw new EngineError(
    'unavailable',
    `failed to remove the cgroups ${paths.filter((path) => existsSync(path)).join(' ')}: still in use`,
  );
};

/** Processes in these cgroups, in the host's pid namespace. */
export const pidsIn = (cgroupFolders: readonly string[]): readonly number[] => {
  const pids = cgroupFolders.flatMap((path) => {
    try {
      return readFileSync(join(path, 'cgroup.procs'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(Number);
    } catch {
      return [];
    }
  });
  // 0 stands for a process outside of our own pid namespace.
  return [...new Set(pids)].filter((pid) => pid > 0);
};

/** It may have gone meanwhile. */
export const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
};
