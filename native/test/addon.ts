/** The addon as it is built, behind its typed face. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { withCheckedArguments } from '../arguments.ts';
import type { NativeModule } from '../native.ts';

export const helperPath = fileURLToPath(new URL('../build/runc', import.meta.url));

const module = createRequire(import.meta.url)('../build/engine-room.node') as NativeModule;
module.loadHelper(readFileSync(helperPath));

export const native = withCheckedArguments(module);
