/** `docker cp`, `docker export` and `docker diff`. Upstream: moby daemon/{archive,export,changes}.go. */
import { type Readable } from 'node:stream';
import { EngineError } from '../../protocol/errdefs.ts';
import { layerChanges, treeChanges, type Change } from '../archive/changes.ts';
import type { ContainedRoot } from '../archive/contained-root.ts';
import { packTree } from '../archive/pack.ts';
import { baseOf, lookAt, statPath, type PathStat } from '../archive/path-stat.ts';
import { unpackTar } from '../archive/unpack.ts';
import { walkTree, type TreeEntry } from '../archive/walk-tree.ts';
import type { Container } from '../container/container.ts';
import type { Pack } from 'tar-stream';
import { resolveUser } from '../oci/user.ts';
import { withContainerRoot } from './container-root.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';

export const statInContainer = (
  daemon: Daemon,
  container: Container,
  path: string,
): Promise<PathStat> =>
  withContainerRoot(daemon, container, (root) =>
    lookAt(root, path, container.name, (place) => statPath(root, path, place)),
  );

/** The bytes of a tar. */
export type Archive = AsyncIterable<unknown>;

/** `accept` gets the archive when it is known that there is one, and ends when all of it was taken. */
export const getArchive = (
  daemon: Daemon,
  container: Container,
  path: string,
  accept: (stat: PathStat, archive: Archive) => Promise<void>,
): Promise<void> =>
  withContainerRoot(daemon, container, (root) =>
    lookAt(root, path, container.name, async (place) => {
      const base = baseOf(path);
      await send(
        (end) =>
          packTree(
            walkTree(place.path),
            ({ name }) => (name === '' ? base : `${base}/${name}`.replace(/^\/\//, '/')),
            end,
          ),
        async (archive) => accept(await statPath(root, path, place), archive),
      );
      daemon.events.emit(containerEvent(container, 'archive-path'));
    }),
  );

/** Everything but what is mounted: of that, the places. */
export const exportContainer = (
  daemon: Daemon,
  container: Container,
  accept: (archive: Archive) => Promise<void>,
): Promise<void> =>
  withContainerRoot(daemon, container, (root) =>
    root.at('/', { followsLast: true }, async (top) => {
      const device = top.stats?.dev;
      // Where layers are copies, a volume is on the same device.
      const mounts = new Set(container.mountPoints.map(({ destination }) => destination.slice(1)));
      const isOwn = ({ name, stats }: TreeEntry): boolean =>
        stats.dev === device && !mounts.has(name);
      const entries = function* () {
        for (const entry of walkTree(top.path, isOwn)) {
          if (isOwn(entry) || entry.stats.isDirectory()) yield entry;
        }
      };
      await send(
        (end) => packTree(entries(), ({ name }) => (name === '' ? null : name), end),
        accept,
      );
      daemon.events.emit(containerEvent(container, 'export'));
    }),
  );

/** The tree stays open until the packing has ended, also when the client has gone in the middle. */
const send = async (
  make: (onEnd: () => void) => Pack,
  accept: (archive: Archive) => Promise<void>,
): Promise<void> => {
  let end: () => void = () => undefined;
  const packed = new Promise<void>((resolve) => (end = resolve));
  const archive = make(() => end());
  try {
    await accept(archive);
  } finally {
    archive.destroy();
    await packed;
  }
};

export const putArchive = (
  daemon: Daemon,
  container: Container,
  archive: Readable,
  options: { readonly path: string; readonly keepsKinds: boolean; readonly takesOwner: boolean },
): Promise<void> =>
  withContainerRoot(daemon, container, async (root) => {
    const { path, keepsKinds, takesOwner } = options;
    const folder = await lookAt(root, `${path}/.`, container.name, ({ inside }) => inside).catch(
      async (error: unknown) => {
        await lookAt(root, path, container.name, () => undefined);
        if (error instanceof EngineError && error.kind !== 'not_found') throw error;
        throw new EngineError('invalid_argument', 'extraction point is not a directory');
      },
    );
    checkWritable(container, folder);
    await unpackTar(archive, root, {
      folder,
      keepsKinds,
      owner: takesOwner ? await ownerIn(root, container) : null,
      makeFifo: (fifo, mode) => daemon.native.mkfifo(fifo, mode),
    });
    daemon.events.emit(containerEvent(container, 'extract-to-dir'));
  });

const checkWritable = (container: Container, folder: string): void => {
  const point = container.mountPoints
    .filter(({ destination }) => folder === destination || folder.startsWith(`${destination}/`))
    .sort((left, right) => right.destination.length - left.destination.length)[0];
  if (point && !point.isWritable) {
    throw new EngineError('invalid_argument', 'mounted volume is marked read-only');
  }
  if (!point && container.hostConfig.ReadonlyRootfs) {
    throw new EngineError('invalid_argument', 'container rootfs is marked read-only');
  }
};

const USER_FILE_BYTES = 1024 * 1024;

export const userFilesIn = async (root: ContainedRoot) => ({
  passwd: (await root.read('/etc/passwd', USER_FILE_BYTES)) ?? '',
  group: (await root.read('/etc/group', USER_FILE_BYTES)) ?? '',
});

/** `docker cp -a` of old clients: the container's user. */
const ownerIn = async (root: ContainedRoot, { record }: Container) =>
  record.config.User === '' ? null : resolveUser(record.config.User, await userFilesIn(root));

export const changesOf = async (daemon: Daemon, { id }: Container): Promise<readonly Change[]> => {
  const [mount] = await daemon.images.snapshotMounts(id);
  const option = (name: string): string | undefined =>
    mount?.options.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  const upper = option('upperdir');
  if (upper !== undefined) return layerChanges(upper, (option('lowerdir') ?? '').split(':'));
  // Without an overlay both are folders with all files.
  return daemon.images.withParentView(id, (below) =>
    treeChanges(mount?.source ?? '', below?.[0]?.source),
  );
};
