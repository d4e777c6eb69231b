/** A real containerd process over its real socket, called by our client and by the real `ctr`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import { Content } from '../../protocol/gen/containerd/content_pb.ts';
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
import { aContainer } from '../testing/a-container.ts';
import { BINARY, buildDaemons, TestDaemon, until } from '../testing/daemon.ts';
import { busyboxLayer, importLayer } from '../testing/image.ts';

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
