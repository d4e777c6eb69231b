/**
 * Is the container frozen? Version 1 has a controller for it, version 2 a file in every cgroup.
 * cgroups(7), kernel Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst. Upstream: opencontainers/cgroups fs/freezer.go.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';

type CgroupPaths = Readonly<Record<string, string>>;

interface Freezer {
  readonly file: string;
  readonly freeze: string;
  readonly thaw: string;
  /** Where the kernel says how far it is, and its line for "all stand still". */
  readonly report: string;
  readonly frozen: string;
}

const freezerOf = (paths: CgroupPaths): Freezer | null => {
  const version1 = Object.entries(paths).find(([name]) => name.split(',').includes('freezer'))?.[1];
  if (version1 !== undefined) {
    const file = `${version1}/freezer.state`;
    return { file, freeze: 'FROZEN', thaw: 'THAWED', report: file, frozen: 'FROZEN' };
  }
  const unified = paths['unified'];
  if (unified === undefined) return null;
  const file = `${unified}/cgroup.freeze`;
  return { file, freeze: '1', thaw: '0', report: `${unified}/cgroup.events`, frozen: 'frozen 1' };
};

const reports = ({ report, frozen }: Freezer): boolean => {
  try {
    return readFileSync(report, 'utf8').split('\n').includes(frozen);
  } catch {
    return false;
  }
};

export const isFrozen = (paths: CgroupPaths): boolean => {
  const freezer = freezerOf(paths);
  return freezer !== null && reports(freezer);
};

const ATTEMPTS = 1000;
const PAUSE_MS = 5;

/** Resolves when all processes stand still (or run again). */
export const setFrozen = async (paths: CgroupPaths, wanted: boolean): Promise<void> => {
  const freezer = freezerOf(paths);
  if (!freezer) throw new EngineError('failed_precondition', 'cgroup freezer is not available');
  const write = (value: string): void => {
    try {
      writeFileSync(freezer.file, value);
    } catch (error) {
      throw new EngineError('unknown', messageOf(error), { cause: error });
    }
  };
  // Freezing takes a moment (version 1 says FREEZING meanwhile and must be asked again), and nothing signals its end.
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    write(wanted ? freezer.freeze : freezer.thaw);
    if (reports(freezer) === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  if (wanted) write(freezer.thaw);
  throw new EngineError('unknown', `unable to ${wanted ? 'freeze' : 'thaw'}`);
};
