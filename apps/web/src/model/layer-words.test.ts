import { describe, expect, test } from 'vitest';
import { layerWords, layerWorkWords } from './layer-words.ts';

const DIGEST = `sha256:${'f50e2df77f61'.padEnd(64, '0')}`;

describe('a layer', () => {
  test('arrives, piece by piece, and is verified', () => {
    const half = { 'engineroom.blob.offset': 512 * 1024, 'engineroom.blob.bytes': 1024 * 1024 };
    expect(layerWords('containerd', 'blob arriving', half)).toMatch(
      /^containerd has 512 KiB of 1\S* MiB of blob without a name yet$/,
    );
    const whole = { ...half, 'engineroom.blob.digest': DIGEST };
    expect(layerWords('containerd', 'blob verified', whole)).toMatch(
      /^containerd has hashed 1\S* MiB on the way: they are blob f50e2df77f61$/,
    );
  });

  test('is stacked on those below, uppermost first', () => {
    const lower = ['/data/snapshots/6/fs', '/data/snapshots/4/fs'];
    const upper = '/data/snapshots/7/fs';
    const of = (attributes: Record<string, string | string[]>) =>
      layerWords('containerd', 'overlay layers', attributes);
    expect(of({ 'engineroom.overlay.lower': lower, 'engineroom.overlay.upper': upper })).toBe(
      'containerd stacks writable snapshot 7 over read-only 6, 4',
    );
    expect(of({ 'engineroom.overlay.lower': [], 'engineroom.overlay.upper': upper })).toBe(
      'containerd makes an empty folder for the layer: snapshot 7',
    );
    expect(of({ 'engineroom.overlay.lower': lower })).toBe('containerd stacks read-only 6, 4');
  });

  test('is asked for, fetched, unpacked and closed', () => {
    const blob = { 'engineroom.blob.digest': DIGEST, 'engineroom.blob.bytes': 1024 * 1024 };
    const upper = { 'engineroom.overlay.upper': '/data/snapshots/7/fs' };
    expect(layerWorkWords('dockerd', 'resolve team/app:1')).toBe(
      'dockerd asks the registry what team/app:1 is made of',
    );
    expect(layerWorkWords('dockerd', 'fetch f50e2df77f61', blob)).toBe(
      'dockerd fetches 1.00 MiB from the registry: blob f50e2df77f61',
    );
    expect(layerWorkWords('containerd', 'layer apply', { ...blob, ...upper })).toBe(
      'containerd unpacks 1.00 MiB into the snapshot: blob f50e2df77f61',
    );
    expect(layerWorkWords('containerd', 'snapshot commit', upper)).toBe(
      'containerd closes snapshot 7: from now on it is read-only',
    );
    expect(layerWorkWords('containerd', 'bundle create')).toBeNull();
  });

  test('has no words for anything else', () => {
    expect(layerWords('containerd', 'bundle created', {})).toBeNull();
  });
});
