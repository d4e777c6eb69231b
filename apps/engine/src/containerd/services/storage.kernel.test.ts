/** What a real containerd process keeps: layers, snapshots and records, also when it is killed. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import { Content, WriteAction } from '../../protocol/gen/containerd/content_pb.ts';
import { Diff } from '../../protocol/gen/containerd/diff_pb.ts';
import { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import { digestOf } from '../content/digest.ts';
import { aContainer } from '../testing/a-container.ts';
import { buildDaemons, TestDaemon } from '../testing/daemon.ts';
import { importLayer, KEPT, layerOf, writeBlob } from '../testing/image.ts';

const NO_SPARE = { ENGINE_ROOM_NO_SPARE: '1' };

let daemon: TestDaemon;

beforeAll(buildDaemons, 60_000);
beforeEach(async () => {
  daemon = new TestDaemon();
  await daemon.start(NO_SPARE);
});
afterEach(() => daemon.dispose());

describe('layers', () => {
  test('become snapshots; the kernel itself writes the whiteouts of the second one', async () => {
    const channel = daemon.channel();
    const one = await layerOf([
      { name: 'etc/', type: 'directory', mode: 0o755 },
      { name: 'etc/gone', body: '1' },
      { name: 'etc/kept', body: '1' },
      { name: 'opt/', type: 'directory', mode: 0o755 },
      { name: 'opt/hidden', body: '1' },
    ]);
    const two = await layerOf([
      { name: 'etc/.wh.gone' },
      { name: 'opt/.wh..wh..opq' },
      { name: 'opt/new', body: '2' },
    ]);

    await importLayer(channel, one, { name: 'one', parent: '' });
    await importLayer(channel, two, { name: 'two', parent: 'one' });
    const { mounts } = await channel
      .client(Snapshots)
      .view({ snapshotter: 'overlayfs', key: 'look', parent: 'two', labels: KEPT });

    const place = join(daemon.folder, 'look');
    mkdirSync(place);
    execFileSync('mount', [
      '-t',
      'overlay',
      'overlay',
      '-o',
      (mounts[0]?.options ?? []).join(','),
      place,
    ]);
    expect(readdirSync(join(place, 'etc'))).toEqual(['kept']);
    expect(readdirSync(join(place, 'opt'))).toEqual(['new']);
    const upper = join(daemon.root, 'io.containerd.snapshotter.v1.overlayfs/snapshots/2/fs');
    expect([
      lstatSync(join(upper, 'etc/gone')).isCharacterDevice(),
      lstatSync(join(upper, 'etc/gone')).rdev,
    ]).toEqual([true, 0]);
    execFileSync('umount', [place]);
    expect(daemon.mounts()).toEqual([]);
  });

  test('that are broken leave nothing mounted, and the snapshot can be removed', async () => {
    const channel = daemon.channel();
    await importLayer(channel, await layerOf([{ name: 'a', body: '1' }]), {
      name: 'one',
      parent: '',
    });
    const bad = await layerOf([{ name: '../../evil', body: 'x' }]);
    const digest = await writeBlob(channel, bad);
    const { mounts } = await channel
      .client(Snapshots)
      .prepare({ snapshotter: 'overlayfs', key: 'k', parent: 'one', labels: KEPT });

    await expect(
      channel.client(Diff).apply({ diff: { digest, mediaType: 'x', size: 1n }, mounts }),
    ).rejects.toMatchObject({ kind: 'invalid_argument' });

    expect(readFileSync(`/proc/${daemon.pid}/mountinfo`, 'utf8')).not.toContain('containerd-mount');
    await channel.client(Snapshots).remove({ snapshotter: 'overlayfs', key: 'k' });
  });
});

describe('SIGKILL', () => {
  test('in the middle of a write leaves no blob, and the write can go on', async () => {
    const whole = Buffer.alloc(3_000_000, 'x');
    const digest = digestOf(whole);
    const half = 1_500_000;
    const request = { ref: 'r', total: BigInt(whole.length), expected: digest };
    const first = daemon.channel();
    async function* interrupted() {
      yield { ...request, action: WriteAction.WRITE, data: whole.subarray(0, half) };
      await new Promise(() => undefined);
    }
    for await (const { offset } of first.client(Content).write(interrupted())) {
      expect(offset).toBe(BigInt(half));
      await daemon.kill('SIGKILL');
      break;
    }

    expect(readdirSync(join(daemon.root, 'io.containerd.content.v1.content/blobs/sha256'))).toEqual(
      [],
    );
    await daemon.start(NO_SPARE);
    const channel = daemon.channel();
    expect((await channel.client(Content).status({ ref: 'r' })).status?.offset).toBe(BigInt(half));
    async function* rest() {
      yield {
        ...request,
        action: WriteAction.COMMIT,
        offset: BigInt(half),
        data: whole.subarray(half),
        labels: KEPT,
      };
    }
    for await (const response of channel.client(Content).write(rest()))
      expect(response.digest).toBe(digest);
    expect((await channel.client(Content).info({ digest })).info?.size).toBe(BigInt(whole.length));
  });

  test('loses no record that was answered, however often', async () => {
    const made: string[] = [];
    for (const round of [1, 2, 3]) {
      const containers = daemon.channel().client(Containers);
      const attempts = Array.from({ length: 20 }, async (_, index) => {
        const id = `c${round}-${index}`;
        await containers.create({ container: aContainer(id) });
        made.push(id);
        if (index === 10) void daemon.kill('SIGKILL');
      });
      await Promise.allSettled(attempts);
      await daemon.kill('SIGKILL');
      await daemon.start(NO_SPARE);
    }

    const { containers } = await daemon.channel().client(Containers).list({});

    expect(made.length).toBeGreaterThanOrEqual(33);
    expect(containers.map(({ id }) => id)).toEqual(expect.arrayContaining(made));
  });
});
