import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dockerdFlags } from './swapped-parts.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swapped-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const program = (name: string): string => {
  const path = join(folder, name);
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
};

describe('--runtime and --shim', () => {
  test('neither changes nothing', () => {
    expect(dockerdFlags({ runtime: null, shim: null })).toEqual([]);
  });

  test('a runtime is added under its name and made the default', () => {
    const path = program('youki');
    expect(dockerdFlags({ runtime: path, shim: null })).toEqual([
      '--add-runtime',
      `youki=${path}`,
      '--default-runtime',
      'youki',
    ]);
  });

  test('the name runc is kept for our own', () => {
    const path = program('runc');
    expect(dockerdFlags({ runtime: path, shim: null })).toContain(`real-runc=${path}`);
  });

  test('a shim by its path, alone and with a runtime', () => {
    const shim = program('containerd-shim-x-v2');
    expect(dockerdFlags({ runtime: null, shim })).toEqual([
      '--shim',
      shim,
      '--default-runtime',
      'runc',
    ]);
    const runtime = program('youki');
    expect(dockerdFlags({ runtime, shim }).slice(0, 2)).toEqual(['--shim', shim]);
    expect(dockerdFlags({ runtime, shim }).at(-1)).toBe('youki');
  });

  test.each([
    [{ runtime: 'no-such-runtime', shim: null }, /no such program in PATH.*apt-get install/],
    [{ runtime: '/no/such/runtime', shim: null }, /^--runtime \/no\/such\/runtime: there is no/],
    [{ runtime: 'bin/runc', shim: null }, /there is no such program\./],
    [
      { runtime: null, shim: 'io.containerd.nosuch.v9' },
      /containerd-shim-nosuch-v9 is not in PATH/,
    ],
    [{ runtime: null, shim: 'runc' }, /name a shim as containerd does/],
    [{ runtime: null, shim: '/no/shim' }, /^--shim \/no\/shim: there is no such program$/],
  ])('%j says what to do', (parts, words) => {
    expect(() => dockerdFlags(parts)).toThrow(words);
  });

  test('a file that cannot be run is no program', () => {
    const path = join(folder, 'runc');
    writeFileSync(path, '');
    expect(() => dockerdFlags({ runtime: path, shim: null })).toThrow('there is no such program');
    expect(() => dockerdFlags({ runtime: folder, shim: null })).toThrow('there is no such program');
  });
});
