/** Removes the cgroups of a test, with whatever still runs in them. cgroups(7): both versions. */
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './daemon.ts';

const MOUNT = '/sys/fs/cgroup';

/** `path` as in the OCI spec's cgroupsPath, below every hierarchy that has it. */
export const removeCgroups = async (path: string): Promise<void> => {
  const folders = ['.', ...readdirSync(MOUNT)]
    .map((hierarchy) => join(MOUNT, hierarchy, path))
    .filter(existsSync);
  for (const folder of folders) await removeOne(folder);
};

/** A cgroup has no files of its own to delete: rmdir(2) takes it as soon as it is empty. */
const removeOne = async (folder: string): Promise<void> => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeOne(join(folder, entry.name));
  }
  const members = (): string[] =>
    readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
  for (const pid of members()) process.kill(Number(pid), 'SIGKILL');
  await until(() => members().length === 0, `${folder} to be empty`);
  rmdirSync(folder);
};
