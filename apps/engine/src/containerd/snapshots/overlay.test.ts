import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MetadataDatabase } from '../metadata/database.ts';
import { Log } from '../log.ts';
import { NamespaceStore } from '../metadata/namespace-store.ts';
import { nullExporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { OverlaySnapshotter } from './overlay.ts';
import { SnapshotStore } from './snapshot-store.ts';
import { snapshotterSuite } from './snapshotter-suite.ts';

let root: string;
let database: MetadataDatabase;
let overlay: OverlaySnapshotter;

const open = async (): Promise<OverlaySnapshotter> => {
  const store = new SnapshotStore(database, new NamespaceStore(database), 'overlayfs');
  const tracer = new Tracer('containerd', nullExporter);
  const opened = new OverlaySnapshotter(root, store, tracer, new Log('error'));
  await opened.open();
  return opened;
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'overlay-'));
  database = MetadataDatabase.open(join(root, 'meta'));
  overlay = await open();
});
afterEach(async () => {
  await database.close();
  rmSync(root, { recursive: true, force: true });
});

const fs = (id: number): string => join(root, 'snapshots', String(id), 'fs');
const folders = (): string[] => readdirSync(join(root, 'snapshots')).sort();
const layer = async (name: string, parent = ''): Promise<void> => {
  await overlay.prepare('moby', `unpack-${name}`, parent, {});
  await overlay.commit('moby', name, `unpack-${name}`, {});
};

snapshotterSuite('overlayfs', () => overlay);

describe('the mounts', () => {
  test('of a first layer are a bind mount', async () => {
    expect(await overlay.prepare('moby', 'a', '', {})).toEqual([
      { type: 'bind', source: fs(1), options: ['rw', 'rbind'] },
    ]);
    expect(await overlay.view('moby', 'b', '', {})).toEqual([
      { type: 'bind', source: fs(2), options: ['ro', 'rbind'] },
    ]);
  });

  test('of a container are an overlay with its own upper folder over the layers, the last one first', async () => {
    await layer('one');
    await layer('two', 'one');
    await layer('three', 'two');

    const [mount, ...others] = await overlay.prepare('moby', 'container', 'three', {});

    expect(others).toEqual([]);
    expect(mount).toMatchObject({ type: 'overlay', source: 'overlay' });
    expect(mount?.options.filter((option) => option !== 'index=off')).toEqual([
      `workdir=${join(root, 'snapshots', '4', 'work')}`,
      `upperdir=${fs(4)}`,
      `lowerdir=${fs(3)}:${fs(2)}:${fs(1)}`,
    ]);
  });

  test('of a view have no upper folder', async () => {
    await layer('one');
    await layer('two', 'one');

    const [single] = await overlay.view('moby', 'v1', 'one', {});
    const [several] = await overlay.view('moby', 'v2', 'two', {});

    expect(single).toEqual({ type: 'bind', source: fs(1), options: ['ro', 'rbind'] });
    expect(several?.options.some((option) => option.startsWith('upperdir'))).toBe(false);
    expect(several?.options).toContain(`lowerdir=${fs(2)}:${fs(1)}`);
  });
});

describe('the folders', () => {
  test('go with the snapshot, and a failed one leaves none', async () => {
    await overlay.prepare('moby', 'a', '', {});

    await expect(overlay.prepare('moby', 'a', '', {})).rejects.toThrow('already exists');
    await expect(overlay.prepare('moby', 'b', 'missing', {})).rejects.toThrow('does not exist');
    expect(folders()).toEqual(['1']);

    await overlay.remove('moby', 'a');
    expect(folders()).toEqual(['1']);
    await overlay.settled();
    expect(folders()).toEqual([]);
  });

  test('that a crash left without a record are swept at the next start, the others stay', async () => {
    await overlay.prepare('moby', 'a', '', {});
    mkdirSync(join(root, 'snapshots', 'new-7', 'fs'), { recursive: true });
    mkdirSync(join(root, 'snapshots', '99', 'fs'), { recursive: true });

    overlay = await open();

    expect(folders()).toEqual(['1']);
    expect(existsSync(fs(1))).toBe(true);
  });

  test('are measured in blocks, hard links once', async () => {
    await overlay.prepare('moby', 'a', '', {});
    writeFileSync(join(fs(1), 'file'), Buffer.alloc(100_000));

    const usage = await overlay.usage('moby', 'a');

    expect(usage.inodes).toBe(2);
    expect(usage.sizeBytes).toBe(
      (statSync(join(fs(1), 'file')).blocks + statSync(fs(1)).blocks) * 512,
    );
  });
});
