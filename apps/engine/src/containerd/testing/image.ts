/** A small image for tests: the busybox of this machine as one layer, and the OCI spec to run it with. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { Content, WriteAction } from '../../protocol/gen/containerd/content_pb.ts';
import { Diff } from '../../protocol/gen/containerd/diff_pb.ts';
import { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import { ContainerSchema, Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import type { GrpcChannel } from '../../transport/grpc-client.ts';
import { digestOf } from '../content/digest.ts';

export type LayerEntry = Partial<Header> & { name: string; body?: string | Buffer };

export const layerOf = async (entries: readonly LayerEntry[]): Promise<Buffer> => {
  const tar = pack();
  for (const { body = '', ...header } of entries) tar.entry(header, body);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks), { level: 1 });
};

/** No image and no lease of these tests points at what they make. */
export const KEPT = { 'containerd.io/gc.root': 'a test' };

export const busyboxLayer = (): Promise<Buffer> => {
  const path = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  const folders = ['bin/', 'proc/', 'dev/', 'sys/', 'tmp/', 'etc/'];
  return layerOf([
    ...folders.map((name) => ({ name, type: 'directory' as const, mode: 0o755 })),
    { name: 'bin/busybox', mode: 0o755, body: readFileSync(path) },
    ...['sh', 'sleep', 'echo'].map((name) => ({
      name: `bin/${name}`,
      type: 'symlink' as const,
      linkname: 'busybox',
    })),
  ]);
};

/** Writes a blob as clients do: in chunks, then the commit. */
export const writeBlob = async (channel: GrpcChannel, bytes: Uint8Array): Promise<string> => {
  const digest = digestOf(bytes);
  async function* requests() {
    const base = { ref: `blob-${digest}`, total: BigInt(bytes.length), expected: digest };
    const half = Math.floor(bytes.length / 2);
    yield { ...base, action: WriteAction.STAT };
    yield { ...base, action: WriteAction.WRITE, offset: 0n, data: bytes.subarray(0, half) };
    const rest = { offset: BigInt(half), data: bytes.subarray(half), labels: KEPT };
    yield { ...base, action: WriteAction.COMMIT, ...rest };
  }
  for await (const response of channel.client(Content).write(requests())) void response;
  return digest;
};

/** Applies a layer on top of `parent` and commits it as `name`. Answers the digest of the uncompressed tar. */
export const importLayer = async (
  channel: GrpcChannel,
  bytes: Buffer,
  { name, parent }: { name: string; parent: string },
): Promise<string> => {
  const digest = await writeBlob(channel, bytes);
  const snapshots = channel.client(Snapshots);
  const key = `unpack-${name}`;
  const { mounts } = await snapshots.prepare({
    snapshotter: 'overlayfs',
    key,
    parent,
    labels: KEPT,
  });
  const diff = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest,
    size: BigInt(bytes.length),
  };
  const { applied } = await channel.client(Diff).apply({ diff, mounts });
  await snapshots.commit({ snapshotter: 'overlayfs', name, key, labels: KEPT });
  return applied?.digest ?? '';
};

/** config.json for `args` in a root made of the snapshot. */
const specOf = (args: readonly string[], cgroup: string) => ({
  ociVersion: '1.0.2',
  process: {
    terminal: false,
    user: { uid: 0, gid: 0 },
    args,
    env: ['PATH=/bin'],
    cwd: '/',
    noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: false },
  hostname: 'test',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
  ],
  linux: {
    cgroupsPath: cgroup,
    namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map((type) => ({ type })),
  },
});

/** A container record with its snapshot. */
export const createContainer = async (
  channel: GrpcChannel,
  {
    id,
    args,
    runtime,
    cgroup,
    parent,
  }: { id: string; args: readonly string[]; runtime: string; cgroup: string; parent: string },
) => {
  const { mounts } = await channel
    .client(Snapshots)
    .prepare({ snapshotter: 'overlayfs', key: id, parent, labels: KEPT });
  await channel.client(Containers).create({
    container: create(ContainerSchema, {
      id,
      runtime: { name: runtime },
      snapshotter: 'overlayfs',
      snapshotKey: id,
      spec: {
        typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
        value: Buffer.from(JSON.stringify(specOf(args, `${cgroup}/${id}`))),
      },
    }),
  });
  return mounts;
};
