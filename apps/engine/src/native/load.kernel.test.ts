/** The addon is found from the sources and from a bundle, wherever that lies in the repository. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, test } from 'vitest';
import { native } from './load.ts';

const repository = join(import.meta.dirname, '../../../..');

/** load.ts as one CommonJS file, as the daemons are bundled; prints the peer of a socketpair: itself. */
function bundleInto(folder: string): string {
  const outfile = join(folder, 'bundle.cjs');
  const load = JSON.stringify(join(import.meta.dirname, 'load.ts'));
  buildSync({
    stdin: {
      contents: `
        import { native } from ${load};
        const [one] = native.socketpair();
        console.log(native.peerCredentials(one).pid === process.pid);`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logOverride: { 'empty-import-meta': 'silent' },
    outfile,
  });
  return outfile;
}

test('from the sources', () => {
  const [one, other] = native.socketpair();

  expect(native.peerCredentials(one).pid).toBe(process.pid);

  native.close(one);
  native.close(other);
});

test('from a CommonJS bundle inside the repository', () => {
  mkdirSync(join(repository, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(repository, '.tmp', 'load-'));
  try {
    const output = execFileSync(process.execPath, [bundleInto(folder)], { env: {}, cwd: '/' });

    expect(output.toString()).toBe('true\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('from elsewhere, where ENGINE_ROOM_NATIVE_DIR says; without it, the error says what to do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'engine-room-load-'));
  try {
    const bundle = bundleInto(folder);
    const env = { ENGINE_ROOM_NATIVE_DIR: join(repository, 'native/build') };

    expect(execFileSync(process.execPath, [bundle], { env }).toString()).toBe('true\n');
    expect(() => execFileSync(process.execPath, [bundle], { env: {}, stdio: 'pipe' })).toThrow(
      /native\/build\/engine-room\.node not found above .*; run "npm run build:native"/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
