/**
 * Loads the native addon, gives it the helper `runc`, and checks what it is called with: here TypeScript meets C.
 * See native/README.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { withCheckedArguments } from '../../../../native/arguments.ts';
import type { Native } from '../../../../native/native.ts';
import { findBuild, loadAddon } from './find.ts';

const HELPER = 'runc';

function load(): Native {
  const build = findBuild();
  const module = loadAddon(build);
  // One for the whole process; other threads start no runc.
  if (isMainThread) module.loadHelper(readFileSync(join(build, HELPER)));
  return withCheckedArguments(module);
}

/** The kernel, as far as Node does not show it. Loaded once per process. */
export const native: Native = load();
