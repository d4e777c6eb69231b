/** A real containerd process over its real socket, called by our client and by the real `ctr`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ContainerSchema, Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import { Content, WriteAction } from '../../protocol/gen/containerd/content_pb.ts';
import { Diff } from '../../protocol/gen/containerd/diff_pb.ts';
import type { Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import { Events } from '../../protocol/gen/containerd/events_pb.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from '../../protocol/gen/containerd/health_pb.ts';
import { Images } from '../../protocol/gen/containerd/images_pb.ts';
import { Leases } from '../../protocol/gen/containerd/leases_pb.ts';
import { Namespaces } from '../../protocol/gen/containerd/namespaces_pb.ts';
import { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import { digestOf } from '../content/digest.ts';
import { BINARY, buildDaemons, TestDaemon, until } from '../testing/daemon.ts';
import { busyboxLayer, importLayer, KEPT, layerOf, writeBlob } from '../testing/image.ts';

const NO_SPARE = { ENGINE_ROOM_NO_SPARE: '1' };
const hasCtr = spawnSync('ctr', ['--version']).status === 0;
if (!hasCtr) console.warn('skipped: no ctr on this machine (apt-get install containerd)');

let daemon: TestDaemon;

beforeAll(buildDaemons, 60_000);
beforeEach(async () => {
  daemon = new TestDaemon();
  await daemon.start(NO_SPARE);
});
afterEach(() => daemon.dispose());

const aContainer = (id: string, runtime = 'io.containerd.engineroom.v2') =>
  create(ContainerSchema, {
    id,
    runtime: { name: runtime },
    spec: { typeUrl: 'x', value: new Uint8Array([1]) },
  });

describe('the socket', () => {
  test('can be used by root and its group alone', () => {
    expect(statSync(daemon.address).mode & 0o777).toBe(0o660);
  });

  test('of a living daemon is refused with a sentence, and the daemon goes on', async () => {
    const second = spawnSync(BINARY, daemon.argv(), {
      encoding: 'utf8',
      timeout: 20_000,
    });

    expect(second.status).toBe(1);
    expect(second.stderr).toContain('is in use: another containerd answers there');
    expect((await daemon.channel().client(Health).check({})).status).toBe(
      HealthCheckResponse_ServingStatus.SERVING,
    );
  });

  test('of a dead daemon is replaced', async () => {
    await daemon.kill('SIGKILL');
    expect(existsSync(daemon.address)).toBe(true);

    await daemon.start(NO_SPARE);

    await daemon.channel().client(Namespaces).list({});
  });

  test('goes with a graceful stop, and so does the pid file', async () => {
    expect(readFileSync(join(daemon.folder, 'pid'), 'utf8')).toBe(String(daemon.pid));
    expect(readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8')).toMatch(/^containerd\0*$/);

    expect(await daemon.kill('SIGTERM')).toBe(0);

    expect(
      readdirSync(daemon.folder).filter((name) => name.startsWith('c.sock') || name === 'pid'),
    ).toEqual([]);
  });
});

describe('errors', () => {
  test("have containerd's words and codes", async () => {
    const channel = daemon.channel();
    await channel.client(Containers).create({ container: aContainer('x') });

    await expect(channel.client(Containers).get({ id: 'y' })).rejects.toMatchObject({
      kind: 'not_found',
      message: 'container "y" in namespace "moby": not found',
    });
    await expect(
      channel.client(Containers).create({ container: aContainer('x') }),
    ).rejects.toMatchObject({ kind: 'already_exists', message: 'container "x": already exists' });
    await expect(channel.client(Tasks).get({ containerId: 'x' })).rejects.toMatchObject({
      kind: 'not_found',
      message: 'task x not found',
    });
    await expect(channel.client(Tasks).get({ containerId: 'y' })).rejects.toMatchObject({
      kind: 'not_found',
      message: 'container "y" in namespace "moby": not found',
    });
    await expect(channel.client(Images).get({ name: 'a' })).rejects.toMatchObject({
      kind: 'not_found',
      message: 'image "a": not found',
    });
    await expect(channel.client(Leases).delete({ id: 'l' })).rejects.toMatchObject({
      kind: 'not_found',
      message: 'lease "l": not found',
    });
    await expect(
      channel.client(Snapshots).stat({ snapshotter: 'overlayfs', key: 's' }),
    ).rejects.toMatchObject({ message: 'snapshot s does not exist: not found' });
    await expect(
      channel.client(Snapshots).stat({ snapshotter: 'zfs', key: 's' }),
    ).rejects.toMatchObject({
      kind: 'not_found',
      message: 'snapshotter not loaded: zfs: not found',
    });
    await expect(
      channel.client(Content).info({ digest: '../../etc/passwd' }),
    ).rejects.toMatchObject({ kind: 'invalid_argument' });
    await expect(channel.client(Tasks).checkpoint({ containerId: 'x' })).rejects.toMatchObject({
      kind: 'not_implemented',
    });
  });

  test('name a missing or bad namespace', async () => {
    await expect(daemon.channel('').client(Containers).list({})).rejects.toMatchObject({
      kind: 'failed_precondition',
      message: 'namespace is required: failed precondition',
    });
    await expect(daemon.channel('../x').client(Containers).list({})).rejects.toMatchObject({
      kind: 'invalid_argument',
    });
  });

  test('of a runtime that is not there leave nothing behind', async () => {
    const channel = daemon.channel();
    const container = aContainer('x', 'io.example.missing.v2');
    await channel.client(Containers).create({ container });

    await expect(channel.client(Tasks).create({ containerId: 'x' })).rejects.toThrow(
      'binary not installed "containerd-shim-missing-v2"',
    );

    expect(readdirSync(join(daemon.state, 'io.containerd.runtime.v2.task', 'moby'))).toEqual([]);
    expect(readdirSync(join(daemon.root, 'io.containerd.runtime.v2.task', 'moby'))).toEqual([]);
  });
});

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

test('a subscriber gets what its filter asks for, and ends with its call', async () => {
  const channel = daemon.channel();
  const abort = new AbortController();
  const seen: Envelope[] = [];
  const subscription = (async () => {
    const events = channel
      .client(Events)
      .subscribe({ filters: ['namespace==moby,topic~=|^/containers/|'] }, { signal: abort.signal });
    for await (const envelope of events) seen.push(envelope);
  })().catch(() => undefined);
  // A subscription is not answered; that it counts is seen when an event comes.
  await until(async () => {
    await daemon
      .channel('other')
      .client(Containers)
      .create({ container: aContainer(`o${performance.now()}`.replace('.', '-')) });
    await channel
      .client(Containers)
      .create({ container: aContainer(`m${performance.now()}`.replace('.', '-')) });
    return seen.length > 0;
  }, 'the first event');

  await channel.client(Images).list({});
  abort.abort();
  await subscription;

  expect(new Set(seen.map(({ namespace, topic }) => `${namespace} ${topic}`))).toEqual(
    new Set(['moby /containers/create']),
  );
});

describe.skipIf(!hasCtr)('the real ctr', () => {
  test('finds an empty server in order', async () => {
    expect(await daemon.ctr('version')).toContain('engine-room');
    expect(await daemon.ctr('namespaces', 'ls')).toContain('NAME');
    expect(await daemon.ctr('containers', 'ls')).toContain('CONTAINER');
    expect(await daemon.ctr('images', 'ls')).toContain('REF');
    expect(await daemon.ctr('snapshots', 'ls')).toContain('KEY');
    expect(await daemon.ctr('content', 'ls')).toContain('DIGEST');
    expect(await daemon.ctr('leases', 'ls')).toContain('ID');
    expect(await daemon.ctr('tasks', 'ls')).toContain('TASK');
  });

  test('sees what our own client made, and can remove it', async () => {
    const channel = daemon.channel();
    await importLayer(channel, await busyboxLayer(), { name: 'base', parent: '' });
    await channel.client(Containers).create({ container: aContainer('c1') });

    expect(await daemon.ctr('snapshots', 'ls')).toMatch(/^base\s+Committed/m);
    expect(await daemon.ctr('containers', 'ls', '-q')).toBe('c1\n');
    await daemon.ctr('containers', 'rm', 'c1');
    await daemon.ctr('snapshots', 'rm', 'base');
    expect(
      (
        await channel
          .client(Snapshots)
          .list({ snapshotter: 'overlayfs' })
          [Symbol.asyncIterator]()
          .next()
      ).done,
    ).toBe(true);
  });

  test('prints our errors as those of containerd', async () => {
    await expect(daemon.ctr('containers', 'info', 'nope')).rejects.toThrow(
      'ctr: container "nope" in namespace "moby": not found',
    );
  });
});
