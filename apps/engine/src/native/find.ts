/**
 * Where the native addon lies: in `native/build/`, found by walking up from where this code runs (the sources under
 * vitest, the bundles in `apps/engine/dist`). `ENGINE_ROOM_NATIVE_DIR` names another folder.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeModule } from '../../../../native/native.ts';

const ADDON = 'engine-room.node';

/** Where this file runs. esbuild leaves `import.meta.url` empty in a CommonJS bundle, which has `__filename` instead. */
function currentFile(): string {
  return import.meta.url ? fileURLToPath(import.meta.url) : __filename;
}

export function findBuild(): string {
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

/** As it is, without checks. Loaded once per process, however often it is asked for. */
export const loadAddon = (build: string): NativeModule =>
  createRequire(currentFile())(join(build, ADDON)) as NativeModule;
