import type { Attributes, SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { describe, expect, test } from 'vitest';
import { layerRows, NO_LAYERS, piled } from './layer-pile.ts';

const MIB = 1024 * 1024;
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const folder = (number: number): string => `/data/snapshots/${number}/fs`;

const base = {
  traceId: 't',
  spanId: 's',
  cause: null,
  mono: '0',
  seq: 1,
  level: 'step',
  emitter: { actor: 'containerd', pid: 1, counter: 1 },
} as const;
const event = (fields: object): SequencedEvent =>
  ({ ...base, ...fields }) as unknown as SequencedEvent;

const blob = (letter: string, offset?: number): Attributes => ({
  'engineroom.blob.digest': digest(letter),
  'engineroom.blob.bytes': 4 * MIB,
  ...(offset === undefined ? {} : { 'engineroom.blob.offset': offset }),
});
const begins = (name: string, attributes: Attributes) =>
  event({ id: name, type: 'spanStarted', kind: 'internal', name, attributes });
const moment = (name: string, attributes: Attributes) =>
  event({ id: name, type: 'spanEvent', name, attributes });
const stacked = (upper: number, ...lower: readonly number[]) => ({
  'engineroom.overlay.upper': folder(upper),
  'engineroom.overlay.lower': lower.map(folder),
});
const mount = (name: string, attributes: Attributes, errno: string | null = null) =>
  event({ id: name, type: 'syscall', name, attributes, errno, object: 'mount' });

/** `state snapshot blob arrived/bytes` from the top, in MiB. */
const rowsAfter = (...events: readonly SequencedEvent[]) =>
  layerRows(events.reduce(piled, NO_LAYERS)).map(
    ({ state, snapshot, blob: name, arrived, bytes }) =>
      `${state} ${snapshot ?? '-'} ${name?.slice(0, 1) ?? '-'} ${arrived / MIB}/${bytes / MIB}`,
  );

const FETCHED = [
  begins('fetch aaaaaaaaaaaa', blob('a')),
  begins('fetch bbbbbbbbbbbb', blob('b')),
  moment('blob arriving', blob('b', MIB)),
];
const VERIFIED = [
  ...FETCHED,
  moment('blob verified', blob('a', 4 * MIB)),
  moment('overlay layers', stacked(5, 1)),
];
const UNPACKING = [
  ...VERIFIED,
  begins('layer apply', { ...blob('a'), 'engineroom.overlay.upper': folder(5) }),
];
const CLOSED = [
  ...UNPACKING,
  moment('layer applied', { 'engineroom.blob.digest': digest('a') }),
  begins('snapshot commit', { 'engineroom.overlay.upper': folder(5) }),
];

describe('the pile of layers', () => {
  test('a layer arrives, is verified, unpacked, and lies below the next', () => {
    expect(rowsAfter(...FETCHED)).toEqual(['arriving - a 0/4', 'arriving - b 1/4']);
    expect(rowsAfter(...VERIFIED)).toEqual([
      'verified - a 4/4',
      'arriving - b 1/4',
      'upper 5 - 0/0',
      'lower 1 - 0/0',
    ]);
    expect(rowsAfter(...UNPACKING)).toEqual([
      'arriving - b 1/4',
      'unpacking 5 a 4/4',
      'lower 1 - 0/0',
    ]);
    expect(rowsAfter(...CLOSED)).toEqual(['arriving - b 1/4', 'lower 5 a 4/4', 'lower 1 - 0/0']);
  });

  test('manifests and configurations are no layers', () => {
    const small = { ...blob('c', 700), 'engineroom.blob.bytes': 700 };
    expect(rowsAfter(begins('fetch cccccccccccc', small), moment('blob verified', small))).toEqual(
      [],
    );
  });

  test('is one tree from the mount to its end, and not when the mount fails', () => {
    const at = { 'engineroom.mount.target': '/run/c/rootfs', 'engineroom.mount.type': 'overlay' };
    const mounted = { ...at, ...stacked(9, 8, 7) };
    const merged = (...events: readonly SequencedEvent[]) => events.reduce(piled, NO_LAYERS).merged;
    expect(merged(mount('mount', mounted))).toBe('/run/c/rootfs');
    expect(rowsAfter(mount('mount', mounted))).toEqual([
      'upper 9 - 0/0',
      'lower 8 - 0/0',
      'lower 7 - 0/0',
    ]);
    expect(merged(mount('mount', mounted, 'EINVAL'))).toBeNull();
    expect(merged(mount('mount', mounted), mount('umount2', at))).toBeNull();
  });
});
