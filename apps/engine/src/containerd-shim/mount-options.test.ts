import { describe, expect, it } from 'vitest';
import { compactLowerDirectories, MS_BIND, MS_RDONLY, parseMountOptions } from './mount-options.ts';

describe('parseMountOptions', () => {
  it('tells flags from data and lets a later word win', () => {
    expect(
      parseMountOptions(['rbind', 'ro', 'noatime', 'index=off', 'lowerdir=/a:/b', 'defaults']),
    ).toEqual({
      flags: MS_BIND | 16384 | MS_RDONLY | 1024,
      data: ['index=off', 'lowerdir=/a:/b'],
    });
    expect(parseMountOptions(['ro', 'rw']).flags).toBe(0);
  });
});

describe('compactLowerDirectories', () => {
  it('names layers relative to the directory that they share', () => {
    const lower = ['/d/snapshots/12/fs', '/d/snapshots/1/fs', '/d/snapshots/123/fs'];
    expect(
      compactLowerDirectories(['index=off', `lowerdir=${lower.join(':')}`, 'upperdir=/d/u']),
    ).toEqual({
      directory: '/d/snapshots',
      data: ['index=off', 'lowerdir=12/fs:1/fs:123/fs', 'upperdir=/d/u'],
    });
  });

  it('leaves alone what it cannot shorten', () => {
    for (const lower of ['/only', '/a/x:/b/y', 'relative:/a/b']) {
      expect(compactLowerDirectories([`lowerdir=${lower}`])).toEqual({
        directory: null,
        data: [`lowerdir=${lower}`],
      });
    }
    // The parent of one layer may be another layer.
    expect(compactLowerDirectories(['lowerdir=/a/b:/a/b/c'])).toEqual({
      directory: '/a',
      data: ['lowerdir=b:b/c'],
    });
  });
});
