/**
 * The file system of a container, for looking into it from outside.
 * While it runs, that is what its own processes see: `/proc/<pid>/root`, see proc_pid_root(5). Otherwise its layers are
 * mounted for the moment, with its volumes on top. Upstream: moby daemon/containerfs_linux.go.
 */
import { mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';
import { ContainedRoot } from '../archive/contained-root.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Mount } from '../containerd-client/tasks.ts';
import type { Daemon } from './daemon.ts';
import { makeMissingSources } from './mounts.ts';

const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MNT_DETACH = 2;

/** Precondition: it runs. */
export const withLiveRoot = async <T>(
  daemon: Daemon,
  container: Container,
  work: (root: ContainedRoot) => Promise<T>,
): Promise<T> => {
  const { pid } = container.state;
  const gone = (): EngineError =>
    new EngineError('conflict', `container ${container.id} is not running`);
  if (pid <= 0) throw gone();
  let root: ContainedRoot;
  try {
    root = new ContainedRoot(`/proc/${pid}/root`);
  } catch {
    throw gone();
  }
  try {
    // Asked afterwards: a pid that is still its own now was its own when the folder was opened.
    const task = await daemon.tasks.get(container.id);
    if (!task || task.pid !== pid || (task.status !== 'running' && task.status !== 'paused')) {
      throw gone();
    }
    return await work(root);
  } finally {
    root.close();
  }
};

/** Running or not. A stopped container is not started meanwhile. */
export const withContainerRoot = async <T>(
  daemon: Daemon,
  container: Container,
  work: (root: ContainedRoot) => Promise<T>,
): Promise<T> => {
  await container.settled();
  if (isRunning(container.state) && container.state.pid > 0) {
    return withLiveRoot(daemon, container, work);
  }
  return container.exclusively(async () => {
    // Started while we waited for our turn.
    if (isRunning(container.state)) return withLiveRoot(daemon, container, work);
    return withMountedRoot(daemon, container, work);
  });
};

const viewsOf = (execRoot: string): string => join(execRoot, 'views');

const withMountedRoot = async <T>(
  daemon: Daemon,
  container: Container,
  work: (root: ContainedRoot) => Promise<T>,
): Promise<T> => {
  const { native, images, options } = daemon;
  const [layers] = await images.snapshotMounts(container.id);
  if (!layers) throw new EngineError('internal', `container ${container.id} has no layer`);
  const target = join(viewsOf(options.execRoot), `root-${container.id}`);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  mountLayers(daemon, layers, target);
  try {
    const root = new ContainedRoot(target);
    try {
      await mountVolumes(daemon, container, root);
      await makeFilePlaces(root);
      return await work(root);
    } finally {
      root.close();
    }
  } finally {
    native.unmount(target, MNT_DETACH);
    rmdirSync(target);
  }
};

const mountLayers = (
  { native }: Daemon,
  { type, source, options }: Mount,
  target: string,
): void => {
  const isBind = type === 'bind';
  native.mount({
    source,
    target,
    type,
    flags: isBind ? MS_BIND : 0,
    data: isBind ? '' : options.filter((option) => option.includes('=')).join(','),
  });
};

/** Goes with the root: detaching that takes along what is mounted in it. */
const mountVolumes = async (
  { native }: Daemon,
  container: Container,
  root: ContainedRoot,
): Promise<void> => {
  const points = container.mountPoints.filter(({ type }) => type !== 'tmpfs');
  await makeMissingSources(points);
  for (const { source, destination, isWritable } of [...points].sort(
    (left, right) => left.destination.length - right.destination.length,
  )) {
    await root.at(destination, { followsLast: true, makesFolders: true }, async (place) => {
      const isFolder = statSync(source).isDirectory();
      if (!place.stats) await (isFolder ? mkdir(place.path) : writeFile(place.path, ''));
      native.mount({ source, target: place.path, type: '', flags: MS_BIND, data: '' });
    });
    if (isWritable) continue;
    await root.at(destination, { followsLast: true }, ({ path }) =>
      native.mount({
        source: '',
        target: path,
        type: '',
        flags: MS_BIND | MS_REMOUNT | MS_RDONLY,
        data: '',
      }),
    );
  }
};

/** Docker's init layer has them from the beginning; runc makes them when the container is started. */
const FILE_PLACES = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'];

const makeFilePlaces = async (root: ContainedRoot): Promise<void> => {
  // An image may have no such folder, or a link there that leads nowhere.
  const hasFolder = await root
    .at('/etc', { followsLast: true }, ({ stats }) => stats?.isDirectory() === true)
    .catch(() => false);
  if (!hasFolder) return;
  for (const path of FILE_PLACES)
    await root.at(path, { followsLast: false }, async (place) => {
      if (!place.stats) await writeFile(place.path, '', { flag: 'wx', mode: 0o755 });
    });
};

/** After a crash: views that nobody unmounted. See proc_pid_mountinfo(5). */
export const removeViews = async ({ native, options }: Daemon): Promise<void> => {
  const views = viewsOf(options.execRoot);
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${views}/`));
  for (const target of mounted.reverse()) native.unmount(target, MNT_DETACH);
  for (const name of await readdir(views).catch(() => [])) rmdirSync(join(views, name));
};
