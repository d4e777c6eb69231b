/**
 * Snapshots: how the layers of an image and the writable layer of a container become one root filesystem.
 *
 * A snapshot is named by a **key** while it can be mounted, and by a **name** once it is committed.
 * Its **parent** is a committed snapshot; the chain of parents is the image.
 *
 *   active     made by `prepare`: writable, has mounts, becomes committed
 *   view       made by `view`: read-only, has mounts, can never be committed
 *   committed  made by `commit`: has no mounts, can be a parent
 *
 * An example: importing an image of two layers, and starting a container from it.
 *
 *   mounts = prepare('unpack-1', parent: '')          one empty folder, as a bind mount
 *   apply layer 1 to mounts
 *   commit(name: 'sha256:<chain id of layer 1>', key: 'unpack-1')
 *
 *   mounts = prepare('unpack-2', parent: 'sha256:<chain id of layer 1>')
 *   apply layer 2 to mounts                           written into the upper folder only
 *   commit(name: 'sha256:<chain id of layers 1 + 2>', key: 'unpack-2')
 *
 *   mounts = prepare('<container id>', parent: 'sha256:<chain id of layers 1 + 2>')
 *   … the shim mounts them at rootfs/, the container runs and writes, the shim unmounts …
 *   remove('<container id>')                          the image's snapshots stay for the next container
 *
 * A snapshotter never mounts anything: it says what to mount, and whoever needs the files does it.
 * Upstream: containerd core/snapshots/snapshotter.go.
 */
import type { Info } from '../../protocol/gen/containerd/snapshots_pb.ts';
import type { Labels } from '../metadata/update-mask.ts';

/** What mount(2) is to be told. `options` as in fstab. */
export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface Usage {
  readonly sizeBytes: number;
  readonly inodes: number;
}

export interface Snapshotter {
  /** As clients call it: `overlayfs`. */
  readonly name: string;
  /** A writable snapshot on top of `parent` (empty: on top of nothing). */
  prepare(
    namespace: string,
    key: string,
    parent: string,
    labels: Labels,
  ): Promise<readonly Mount[]>;
  /** A read-only one. */
  view(namespace: string, key: string, parent: string, labels: Labels): Promise<readonly Mount[]>;
  /** Again what `prepare` or `view` answered. */
  mounts(namespace: string, key: string): readonly Mount[];
  /** Freezes an active snapshot under a name. Postcondition: `key` is gone. */
  commit(namespace: string, name: string, key: string, labels: Labels): Promise<void>;
  /**
   * Refused while another snapshot stands on it. Its folder follows; upstream leaves that to the garbage collection.
   */
  remove(namespace: string, key: string): Promise<void>;
  /** Resolves when the folders of all that was removed are gone. */
  settled(): Promise<void>;
  /**
   * Removes what nobody needs, children before parents.
   * Postcondition: the records are gone when this returns, the folders when it resolves.
   */
  collect(namespace: string, keys: ReadonlySet<string>): Promise<void>;
  stat(namespace: string, key: string): Info;
  /** Undefined when there is no such snapshot. */
  find(namespace: string, key: string): Info | undefined;
  update(namespace: string, key: string, labels: Labels, paths: readonly string[]): Info;
  list(namespace: string, filters: readonly string[]): Info[];
  /** What the snapshot itself takes on disk, without its parents. */
  usage(namespace: string, key: string): Promise<Usage>;
  /** Removes folders that no snapshot owns any more (after a crash). */
  cleanup(): Promise<void>;
}
