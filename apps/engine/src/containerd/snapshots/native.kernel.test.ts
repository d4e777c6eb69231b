/** Snapshots by copying: the contract of any snapshotter, and that a copy is a true one. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { native as kernel } from '../../native/load.ts';
import { nullExporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { MetadataDatabase } from '../metadata/database.ts';
import { Log } from '../log.ts';
import { NamespaceStore } from '../metadata/namespace-store.ts';
import { NativeSnapshotter } from './native.ts';
import { whyNoOverlay } from './overlay-support.ts';
import { SnapshotStore } from './snapshot-store.ts';
import { snapshotterSuite } from './snapshotter-suite.ts';

let root: string;
let database: MetadataDatabase;
let copies: NativeSnapshotter;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'native-'));
  database = MetadataDatabase.open(join(root, 'meta'));
  const store = new SnapshotStore(database, new NamespaceStore(database), 'native');
  const tracer = new Tracer('containerd', nullExporter);
  copies = new NativeSnapshotter(root, store, tracer, new Log('error'));
  await copies.open();
});
afterEach(async () => {
  await database.close();
  rmSync(root, { recursive: true, force: true });
});

const fs = (id: number): string => join(root, 'snapshots', String(id), 'fs');

snapshotterSuite('native', () => copies);

describe('a copy', () => {
  /** A layer with what `cp -r` would lose. */
  const layer = async (): Promise<void> => {
    await copies.prepare('moby', 'unpack', '', {});
    const files = fs(1);
    writeFileSync(join(files, 'program'), 'x'.repeat(100_000), { mode: 0o4755 });
    execFileSync('ln', [join(files, 'program'), join(files, 'link')]);
    execFileSync('ln', ['-s', '/etc/passwd', join(files, 'symlink')]);
    execFileSync('mknod', [join(files, 'null'), 'c', '1', '3']);
    execFileSync('chown', ['1:2', join(files, 'null')]);
    execFileSync('touch', ['-d', '2001-02-03', join(files, 'program')]);
    execFileSync('chmod', ['750', files]);
    await copies.commit('moby', 'layer', 'unpack', {});
  };

  test('has the same files, links, devices, owners, modes and times as its parent', async () => {
    await layer();

    const mounts = await copies.prepare('moby', 'container', 'layer', {});

    expect(mounts).toEqual([{ type: 'bind', source: fs(2), options: ['rw', 'rbind'] }]);
    const list = (folder: string) =>
      execFileSync('find', ['.', '-printf', '%p %y %m %U:%G %n %s %T@ %l\n'], { cwd: folder })
        .toString()
        .split('\n')
        .toSorted();
    expect(list(fs(2))).toEqual(list(fs(1)));
    expect(lstatSync(join(fs(2), 'link')).ino).toBe(lstatSync(join(fs(2), 'program')).ino);
    expect(lstatSync(join(fs(2), 'null')).rdev).toBe(lstatSync(join(fs(1), 'null')).rdev);
  });

  test('is changed without its parent, and a view is the parent itself, read-only', async () => {
    await layer();
    await copies.prepare('moby', 'container', 'layer', {});
    writeFileSync(join(fs(2), 'program'), 'changed');

    const view = await copies.view('moby', 'look', 'layer', {});

    expect(view).toEqual([{ type: 'bind', source: fs(1), options: ['ro', 'rbind'] }]);
    expect(readFileSync(join(fs(1), 'program'), 'utf8')).toHaveLength(100_000);
  });

  test('takes as much of the disk as all its files', async () => {
    await layer();
    await copies.prepare('moby', 'container', 'layer', {});

    const [parent, copy] = [
      await copies.usage('moby', 'layer'),
      await copies.usage('moby', 'container'),
    ];

    expect(copy.inodes).toBe(parent.inodes);
    expect(copy.sizeBytes).toBeGreaterThanOrEqual(100_000);
  });
});

describe('overlayfs', () => {
  test('is found where it can be mounted', () => {
    expect(whyNoOverlay(kernel, join(root, 'here'))).toBeNull();
  });

  test('is said to be missing, with the reason, on a file system that cannot be its upper one', () => {
    const [lower, upper, work, merged] = ['l', 'u', 'w', 'm'].map((name) => {
      mkdirSync(join(root, name));
      return join(root, name);
    }) as [string, string, string, string];
    const data = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    kernel.mount({ source: 'overlay', target: merged, type: 'overlay', flags: 0, data });
    try {
      const folder = join(merged, 'root');

      expect(whyNoOverlay(kernel, folder)).toMatch(/^overlayfs cannot be mounted in .*EINVAL/);
      expect(existsSync(folder)).toBe(true);
    } finally {
      kernel.unmount(merged, 0);
    }
  });
});
