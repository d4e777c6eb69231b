/**
 * Images as containerd keeps them: blobs by digest, names that point to blobs, and snapshots that layers unpack into.
 * Upstream: moby daemon/containerd (the image store that lives in containerd).
 */
import { randomUUID } from 'node:crypto';
import { kindOf } from '../../protocol/errdefs.ts';
import { Content, WriteAction } from '../../protocol/gen/containerd/content_pb.ts';
import { Diff } from '../../protocol/gen/containerd/diff_pb.ts';
import { Images, type Image } from '../../protocol/gen/containerd/images_pb.ts';
import { Leases } from '../../protocol/gen/containerd/leases_pb.ts';
import { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import type { GrpcChannel } from '../../transport/grpc-client.ts';
import type { CallOptions, Client } from '../../transport/service.ts';
import type { Storage } from './channel.ts';
import { plainDescriptor, wireDescriptor, type Descriptor } from './descriptor.ts';
import type { Mount } from './tasks.ts';

export interface NamedImage {
  readonly name: string;
  readonly target: Descriptor;
  readonly createdAt: Date;
}

/** containerd's garbage collector starts from what has this label. */
const GC_ROOT = 'containerd.io/gc.root';
/** What a call makes under a lease is kept until the lease is deleted. */
const LEASE_KEY = 'containerd-lease';
const WRITE_BYTES = 1024 * 1024;

const toNamedImage = ({ name, target, createdAt }: Image): NamedImage => ({
  name,
  target: plainDescriptor(target),
  createdAt: new Date(Number(createdAt?.seconds ?? 0) * 1000),
});

const plainMounts = (mounts: readonly Mount[]) =>
  mounts.map(({ type, source, options }) => ({ type, source, options: [...options] }));

export class ImageClient {
  readonly #content: Client<(typeof Content)['method']>;
  readonly #images: Client<(typeof Images)['method']>;
  readonly #snapshots: Client<(typeof Snapshots)['method']>;
  readonly #diff: Client<(typeof Diff)['method']>;
  readonly #channel: GrpcChannel;
  readonly #storage: Storage;
  readonly #lease: CallOptions;

  constructor(channel: GrpcChannel, storage: Storage, lease?: string) {
    this.#channel = channel;
    this.#storage = storage;
    this.#lease = lease === undefined ? {} : { metadata: { [LEASE_KEY]: lease } };
    this.#content = channel.client(Content);
    this.#images = channel.client(Images);
    this.#snapshots = channel.client(Snapshots);
    this.#diff = channel.client(Diff);
  }

  get snapshotter(): string {
    return this.#storage.snapshotter;
  }

  get unpacking(): Map<string, Promise<void>> {
    return this.#storage.unpacking;
  }

  /**
   * Half an image is garbage to the collector. What `work` makes with the client that it gets is kept until the end,
   * when the image's name refers to all of it.
   */
  async withLease<T>(work: (client: ImageClient) => Promise<T>): Promise<T> {
    const leases = this.#channel.client(Leases);
    const id = `dockerd-${randomUUID()}`;
    await leases.create({ id });
    try {
      return await work(new ImageClient(this.#channel, this.#storage, id));
    } finally {
      await leases.delete({ id }).catch(() => undefined);
    }
  }

  async get(name: string): Promise<NamedImage | null> {
    try {
      const { image } = await this.#images.get({ name });
      return image ? toNamedImage(image) : null;
    } catch (error) {
      if (kindOf(error) === 'not_found') return null;
      throw error;
    }
  }

  async list(): Promise<NamedImage[]> {
    const { images } = await this.#images.list({});
    return images.map(toNamedImage);
  }

  /** Makes the name point to the target, whether it existed or not. */
  async tag(name: string, target: Descriptor): Promise<void> {
    const image = { name, target: wireDescriptor(target) };
    try {
      await this.#images.create({ image });
    } catch (error) {
      if (kindOf(error) !== 'already_exists') throw error;
      await this.#images.update({ image });
    }
  }

  async untag(name: string): Promise<void> {
    await this.#images.delete({ name, sync: true });
  }

  async hasBlob(digest: string): Promise<boolean> {
    try {
      await this.#content.info({ digest });
      return true;
    } catch (error) {
      if (kindOf(error) === 'not_found') return false;
      throw error;
    }
  }

  /** The whole blob, in pieces. */
  async *blobChunks(digest: string): AsyncGenerator<Uint8Array> {
    for await (const { data } of this.#content.read({ digest })) yield data;
  }

  async readBlob(digest: string, limitBytes: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const { data } of this.#content.read({ digest })) {
      size += data.length;
      if (size > limitBytes) throw new Error(`blob ${digest} is larger than ${limitBytes} bytes`);
      parts.push(data);
    }
    return Buffer.concat(parts);
  }

  /** Writes a blob; containerd checks its digest before it keeps it. */
  async writeBlob(
    { digest, size }: Descriptor,
    chunks: AsyncIterable<Uint8Array>,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    if (await this.hasBlob(digest)) {
      await this.#hold({ id: digest, type: 'content' });
      const paths = Object.keys(labels).map((key) => `labels.${key}`);
      if (paths.length === 0) return;
      await this.#content.update({
        info: { digest, labels: { ...labels } },
        updateMask: { paths },
      });
      return;
    }
    // Two writers of one blob do not wait for each other: the second finds it there.
    const ref = `${digest}-${randomUUID()}`;
    const total = BigInt(size);
    const requests = async function* () {
      let offset = 0n;
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; at += WRITE_BYTES) {
          const data = chunk.subarray(at, at + WRITE_BYTES);
          yield { action: WriteAction.WRITE, ref, total, expected: digest, offset, data };
          offset += BigInt(data.length);
        }
      }
      yield {
        action: WriteAction.COMMIT,
        ref,
        total,
        expected: digest,
        offset,
        labels: { ...labels },
      };
    };
    try {
      for await (const response of this.#content.write(requests(), this.#lease)) void response;
    } catch (error) {
      await this.#content.abort({ ref }).catch(() => undefined);
      // Somebody else wrote the same blob meanwhile.
      if (kindOf(error) !== 'already_exists') throw error;
    }
  }

  /** What is there already belongs to the lease too: it may be somebody's garbage at this moment. */
  async #hold(resource: { readonly id: string; readonly type: string }): Promise<void> {
    const id = this.#lease.metadata?.[LEASE_KEY];
    if (id === undefined) return;
    await this.#channel.client(Leases).addResource({ id, resource });
  }

  async hasSnapshot(key: string): Promise<boolean> {
    await this.#hold({ id: key, type: `snapshots/${this.snapshotter}` });
    try {
      await this.#snapshots.stat({ snapshotter: this.snapshotter, key });
      return true;
    } catch (error) {
      if (kindOf(error) === 'not_found') return false;
      throw error;
    }
  }

  /** A new writable layer over `parent` (empty for none). A kept one is not the collector's to take. */
  async prepareSnapshot(
    key: string,
    parent: string,
    { isKept }: { readonly isKept: boolean },
  ): Promise<Mount[]> {
    const labels: Record<string, string> = isKept ? { [GC_ROOT]: new Date().toISOString() } : {};
    const { mounts } = await this.#snapshots.prepare(
      { snapshotter: this.snapshotter, key, parent, labels },
      { ...this.#lease, source: __SOURCE__ },
    );
    return plainMounts(mounts);
  }

  async snapshotMounts(key: string): Promise<Mount[]> {
    const { mounts } = await this.#snapshots.mounts(
      { snapshotter: this.snapshotter, key },
      { source: __SOURCE__ },
    );
    return plainMounts(mounts);
  }

  /** Shows what the snapshot stands on, for as long as `work` looks at it; undefined when it stands on nothing. */
  async withParentView<T>(
    key: string,
    work: (mounts: readonly Mount[] | undefined) => T | Promise<T>,
  ): Promise<T> {
    const { snapshotter } = this;
    const parent = (await this.#snapshots.stat({ snapshotter, key })).info?.parent ?? '';
    if (parent === '') return work(undefined);
    const view = `view-${randomUUID()}`;
    const labels = { [GC_ROOT]: new Date().toISOString() };
    const { mounts } = await this.#snapshots.view({ snapshotter, key: view, parent, labels });
    try {
      return await work(plainMounts(mounts));
    } finally {
      await this.removeSnapshot(view);
    }
  }

  /** Freezes the layer under its name. False when another one has that name already. */
  async commitSnapshot(key: string, name: string): Promise<boolean> {
    try {
      await this.#snapshots.commit({ snapshotter: this.snapshotter, key, name }, this.#lease);
      return true;
    } catch (error) {
      if (kindOf(error) === 'already_exists') return false;
      throw error;
    }
  }

  async removeSnapshot(key: string): Promise<void> {
    try {
      await this.#snapshots.remove({ snapshotter: this.snapshotter, key }, { source: __SOURCE__ });
    } catch (error) {
      if (kindOf(error) !== 'not_found') throw error;
    }
  }

  async snapshotUsageBytes(key: string): Promise<number> {
    const { size } = await this.#snapshots.usage({ snapshotter: this.snapshotter, key });
    return Number(size);
  }

  /** A read-only look at a committed layer (empty: at nothing). */
  async viewSnapshot(key: string, parent: string): Promise<Mount[]> {
    const { mounts } = await this.#snapshots.view(
      { snapshotter: this.snapshotter, key, parent },
      this.#lease,
    );
    return plainMounts(mounts);
  }

  /** Writes what is different in `upper` as a layer, compressed, into the content store. */
  async createDiff(lower: readonly Mount[], upper: readonly Mount[]): Promise<Descriptor> {
    const { diff } = await this.#diff.diff(
      { left: plainMounts(lower), right: plainMounts(upper) },
      this.#lease,
    );
    return plainDescriptor(diff);
  }

  /** Labels of a blob, such as what a layer is when it is uncompressed. */
  async blobLabels(digest: string): Promise<Readonly<Record<string, string>>> {
    const { info } = await this.#content.info({ digest });
    return info?.labels ?? {};
  }

  /** Unpacks a layer into the mounts. Answers the digest of the uncompressed tar. */
  async applyLayer(layer: Descriptor, mounts: readonly Mount[]): Promise<string> {
    const { applied } = await this.#diff.apply(
      {
        diff: wireDescriptor(layer),
        mounts: plainMounts(mounts),
      },
      this.#lease,
    );
    return applied?.digest ?? '';
  }
}
