/**
 * Hears of out-of-memory kills when they happen, not only when the container ends: the victim may be one process of many.
 * cgroup v1: an eventfd behind memory.oom_control; v2: inotify on memory.events. cgroups(7), kernel docs
 * admin-guide/cgroup-v1/memory.rst (10. OOM Control). Upstream: containerd pkg/oom/v1, pkg/oom/v2.
 */
import { constants, existsSync, readSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import type { ContainerCgroup } from './container-cgroup.ts';

type OomNative = Pick<Native, 'eventfd' | 'open' | 'close' | 'watchReadable'>;

/** Calls back at each kill, or at several at once. Returns the stop function. Where nothing can be watched, nothing is. */
export const watchOutOfMemory = (
  native: OomNative,
  cgroup: ContainerCgroup,
  onKill: () => void,
): (() => void) => {
  const directory = cgroup.directoryOf('memory');
  if (directory === null) return () => undefined;
  try {
    if (!cgroup.isVersion2) return watchEventfd(native, directory, onKill);
    let seen = cgroup.oomKills();
    return watchFile(join(directory, 'memory.events'), () => {
      const kills = cgroup.oomKills();
      if (kills > seen) onKill();
      seen = kills;
    });
  } catch {
    // Without the controller, or already gone; the exit asks the counter once more.
    return () => undefined;
  }
};

const watchEventfd = (native: OomNative, directory: string, onKill: () => void): (() => void) => {
  const control = native.open(join(directory, 'memory.oom_control'), constants.O_RDONLY);
  const fd = native.eventfd();
  try {
    writeFileSync(join(directory, 'cgroup.event_control'), `${fd} ${control}`);
  } catch (error) {
    native.close(fd);
    throw error;
  } finally {
    native.close(control);
  }
  const unwatch = native.watchReadable(fd, () => {
    readSync(fd, new Uint8Array(8));
    // The end of a cgroup is told in the same way.
    if (existsSync(join(directory, 'cgroup.event_control'))) onKill();
  });
  return () => {
    unwatch();
    native.close(fd);
  };
};

/** The kernel tells of a change of such a file as of a write to it. */
export const watchFile = (path: string, onChange: () => void): (() => void) => {
  const watcher = watch(path, { persistent: false }, onChange).on('error', () => undefined);
  return () => watcher.close();
};
