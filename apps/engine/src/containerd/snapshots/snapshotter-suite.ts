/** What every snapshotter must do, whatever it is made of. Each implementation runs this suite. */
import { describe, expect, test } from 'vitest';
import { Kind } from '../../protocol/gen/containerd/snapshots_pb.ts';
import type { Snapshotter } from './snapshotter.ts';

const NS = 'moby';

export const snapshotterSuite = (name: string, snapshotter: () => Snapshotter): void => {
  describe(`${name}, as any snapshotter`, () => {
    test('takes a snapshot from active to committed to parent', async () => {
      const under = snapshotter();

      await under.prepare(NS, 'unpack', '', { a: 'b' });
      await under.commit(NS, 'layer', 'unpack', { c: 'd' });
      await under.prepare(NS, 'container', 'layer', {});

      expect(() => under.stat(NS, 'unpack')).toThrow('does not exist');
      expect(under.stat(NS, 'layer')).toMatchObject({
        kind: Kind.COMMITTED,
        parent: '',
        labels: { a: 'b', c: 'd' },
      });
      expect(under.stat(NS, 'container')).toMatchObject({ kind: Kind.ACTIVE, parent: 'layer' });
    });

    test('gives the mounts of an active snapshot again, and none of a committed one', async () => {
      const under = snapshotter();
      const mounts = await under.prepare(NS, 'unpack', '', {});

      expect(under.mounts(NS, 'unpack')).toEqual(mounts);
      await under.commit(NS, 'layer', 'unpack', {});
      expect(() => under.mounts(NS, 'layer')).toThrow(
        expect.objectContaining({ kind: 'failed_precondition' }),
      );
    });

    test('refuses what cannot be', async () => {
      const under = snapshotter();
      await under.prepare(NS, 'active', '', {});
      await under.view(NS, 'view', '', {});

      await expect(under.prepare(NS, 'active', '', {})).rejects.toMatchObject({
        kind: 'already_exists',
        message: 'snapshot "active": already exists',
      });
      await expect(under.prepare(NS, 'x', 'missing', {})).rejects.toMatchObject({
        kind: 'not_found',
        message: 'parent snapshot missing does not exist: not found',
      });
      await expect(under.prepare(NS, 'x', 'active', {})).rejects.toMatchObject({
        kind: 'invalid_argument',
      });
      await expect(under.commit(NS, 'x', 'view', {})).rejects.toMatchObject({
        kind: 'failed_precondition',
      });
      await expect(under.commit(NS, 'x', 'missing', {})).rejects.toMatchObject({
        kind: 'not_found',
      });
      await expect(under.remove(NS, 'missing')).rejects.toMatchObject({ kind: 'not_found' });
      expect(under.list(NS, []).map((info) => info.name)).toEqual(['active', 'view']);
    });

    test('keeps a parent while a child stands on it', async () => {
      const under = snapshotter();
      await under.prepare(NS, 'unpack', '', {});
      await under.commit(NS, 'layer', 'unpack', {});
      await under.prepare(NS, 'child', 'layer', {});

      await expect(under.remove(NS, 'layer')).rejects.toMatchObject({
        kind: 'failed_precondition',
        message: 'cannot remove snapshot with child: failed precondition',
      });

      await under.remove(NS, 'child');
      await under.remove(NS, 'layer');
      expect(under.list(NS, [])).toEqual([]);
    });

    test('keeps namespaces apart', async () => {
      const under = snapshotter();
      await under.prepare(NS, 'same', '', {});

      const other = await under.prepare('other', 'same', '', {});

      expect(other).not.toEqual(under.mounts(NS, 'same'));
      expect(under.list('other', [])).toHaveLength(1);
    });

    test('finds by filter and changes labels only', async () => {
      const under = snapshotter();
      await under.prepare(NS, 'a', '', { x: '1' });
      await under.prepare(NS, 'b', '', {});

      expect(under.list(NS, ['labels.x==1']).map((info) => info.name)).toEqual(['a']);
      expect(under.list(NS, ['kind==active'])).toHaveLength(2);
      expect(under.list(NS, ['kind==committed'])).toEqual([]);
      expect(under.list(NS, ['parent!=""'])).toEqual([]);
      expect(under.update(NS, 'b', { y: '2' }, ['labels.y']).labels).toEqual({ y: '2' });
      expect(() => under.update(NS, 'b', {}, ['kind'])).toThrow(
        expect.objectContaining({ kind: 'invalid_argument' }),
      );
    });
  });
};
