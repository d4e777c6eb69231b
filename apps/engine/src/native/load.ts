/**
 * Loads the native addon and gives it the helper `runc`: the only place where TypeScript meets C.
 *
 * The files lie in `native/build/`, found by walking up from where this code runs (the sources under vitest, the
 * bundle in `apps/engine/dist`). `ENGINE_ROOM_NATIVE_DIR` names another folder.
 * See native/README.md.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { withCheckedArguments } from '../../../../native/arguments.ts';
import type { Native, NativeModule } from '../../../../native/native.ts';

const ADDON = 'engine-room.node';
const HELPER = 'runc';

/** Where this file runs. esbuild leaves `import.meta.url` empty in a CommonJS bundle, which has `__filename` instead. */
function currentFile(): string {
  return import.meta.url ? fileURLToPath(import.meta.url) : __filename;
}

function findBuild(): string {
  const named = process.env['ENGINE_ROOM_NATIVE_DIR'];
  if (named) return named;
  const start = dirname(currentFile());
  for (let folder = start; ; folder = dirname(folder)) {
    const build = join(folder, 'native', 'build');
    if (existsSync(join(build, ADDON))) return build;
    if (folder === dirname(folder))
      throw new Error(`native/build/${ADDON} not found above ${start}; run "npm run build:native"`);
  }
}

function load(): Native {
  const build = findBuild();
  const module = createRequire(currentFile())(join(build, ADDON)) as NativeModule;
  // One for the whole process; other threads start no runc.
  if (isMainThread) module.loadHelper(readFileSync(join(build, HELPER)));
  return withCheckedArguments(module);
}

/** The kernel, as far as Node does not show it. Loaded once per process. */
export const native: Native = load();
