/**
 * A process that keeps images is killed by SIGKILL at one write after the other, in the middle of each: afterwards its
 * state opens, no half blob is visible, what was acknowledged is there, and the work can be gone on with.
 * A sample here; CRASH_TABLE=whole tries each write.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { messageOf } from '../protocol/errdefs.ts';

const SAMPLES = 12;

let folder: string;
let bundle: string;
let library: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kill-at-write-'));
  library = join(folder, 'kill-at-write.so');
  const source = join(import.meta.dirname, 'testing/kill-at-write.c');
  execFileSync(process.env['CC'] ?? 'cc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-o',
    library,
    source,
    '-ldl',
  ]);
  // Below the repository, so that it finds lmdb.
  const built = join(import.meta.dirname, '../../../../.tmp');
  mkdirSync(built, { recursive: true });
  bundle = join(mkdtempSync(join(built, 'kill-at-write-')), 'crash-child.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'testing/crash-child.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['lmdb'],
    // What is CommonJS inside asks for Node's modules by require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    // In two parts, or it would be replaced here too.
    define: { ['__SOURCE' + '__']: '""' },
    logLevel: 'error',
  });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(bundle, '..'), { recursive: true, force: true });
});

/** Each in a process of its own: a state that cannot be opened may take its reader with it. */
const child = (args: readonly string[], env: Record<string, string> = {}) => {
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, [bundle, ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  const said = stdout.split('\n').flatMap((line): unknown[] => (line ? [JSON.parse(line)] : []));
  return { signal, status, stderr, said };
};

const run = (root: string, extra: Record<string, string> = {}) => {
  mkdirSync(root, { recursive: true });
  return child(['run', root], { LD_PRELOAD: library, KILL_ROOT: root, ...extra });
};

/** What it says, when it ends well. */
const ask = (...args: readonly string[]): unknown => {
  const { signal, status, stderr, said } = child(args);
  if (status !== 0) throw new Error(`${args[0] ?? ''} ended with ${signal ?? status}: ${stderr}`);
  return said[0];
};

test('killed in the middle of a write, nothing half is visible and nothing acknowledged is lost', () => {
  const count = join(folder, 'count');
  const whole = run(join(folder, 'whole'), { KILL_COUNT: count });
  expect(whole).toMatchObject({ status: 0, stderr: '' });
  const writes = Number(readFileSync(count, 'utf8'));
  expect(writes).toBeGreaterThan(50);
  const expected = ask('end', join(folder, 'whole'));

  const step = process.env['CRASH_TABLE'] === 'whole' ? 1 : Math.ceil(writes / SAMPLES);
  const failures: string[] = [];
  let tried = 0;
  for (let at = 1; at <= writes; at += step) {
    const root = join(folder, `at-${at}`);
    const { signal, status, said, stderr } = run(root, { KILL_AT: String(at) });
    // The number of pages that lmdb writes differs by one or two from run to run.
    if (signal !== 'SIGKILL' && status === 0 && at > writes - 5) continue;
    expect([signal, stderr], `write ${at}`).toEqual(['SIGKILL', '']);
    tried += 1;
    try {
      const faults = ask('faults', root, JSON.stringify(said)) as readonly string[];
      if (faults.length > 0) throw new Error(faults.join(', '));
      ask('run', root);
      expect(ask('end', root)).toEqual(expected);
    } catch (error) {
      failures.push(`${at} after ${String(said.at(-1))}: ${messageOf(error)}`);
    }
    rmSync(root, { recursive: true });
  }

  console.log(
    `killed at ${tried} of ${writes} writes: ${tried - failures.length} survived of ${tried} tried`,
  );
  expect(failures).toEqual([]);
}, 900_000);
