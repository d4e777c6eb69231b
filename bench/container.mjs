/** One busybox container for the benches of the runtime: its bundle, its end, and what it leaves behind. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where runtimes keep their state: on a machine of today that is memory, and fsync(2) costs nothing there. */
export const stateFolder = () => mkdtempSync('/run/bench-runtime-');

/** What `runc spec` writes, with Docker's seccomp policy and without a terminal. `folder` has the rootfs. */
export function writeBundle(folder, name, cgroupParent) {
  const path = join(folder, name);
  mkdirSync(path);
  const made = spawnSync('runc', ['spec'], { cwd: path, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`runc spec: ${made.stderr}`);
  const spec = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
  spec.process.terminal = false;
  spec.process.args = ['true'];
  spec.root = { path: join(folder, 'rootfs'), readonly: false };
  // As Docker has it for root: nothing ambient.
  delete spec.process.capabilities.ambient;
  // Not everywhere may root raise a hard limit.
  delete spec.process.rlimits;
  // Some versions of `runc spec` ask for them and some do not.
  spec.mounts = spec.mounts.filter(({ destination }) => destination !== '/sys/fs/cgroup');
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
  spec.linux.cgroupsPath = `${cgroupParent}/${name}`;
  spec.linux.resources = { ...spec.linux.resources, pids: { limit: 64 } };
  spec.linux.seccomp = JSON.parse(
    readFileSync(join(ROOT, 'apps/engine/src/libcontainer/testing/docker-seccomp.json'), 'utf8'),
  );
  writeFileSync(join(path, 'config.json'), JSON.stringify(spec));
  return path;
}

export function exitOf(native, pid, pidfd) {
  return new Promise((resolve, reject) => {
    const stop = native.watchReadable(pidfd, () => {
      const status = native.reap(pid);
      if (!status) return;
      stop();
      native.close(pidfd);
      if (status.code === 0) resolve();
      else reject(new Error(`the container ended with ${status.code}`));
    });
  });
}

export function removeCgroups(cgroupParent, { isUnmounted = false } = {}) {
  for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
    const parent = join('/sys/fs/cgroup', hierarchy, cgroupParent);
    // Where v2 was unmounted a runtime may have made folders all the same, and they are only folders.
    if (hierarchy === 'unified' && isUnmounted) rmSync(parent, { recursive: true, force: true });
    else if (existsSync(parent)) rmdirSync(parent);
  }
  // Where there is only version 2.
  const parent = join('/sys/fs/cgroup', cgroupParent);
  if (existsSync(join(parent, 'cgroup.procs'))) rmdirSync(parent);
}
