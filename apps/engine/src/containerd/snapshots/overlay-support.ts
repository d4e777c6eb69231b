/** Asks the kernel by doing it: whether overlayfs is there and takes this file system. mount(2) */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../protocol/errdefs.ts';
import type { MountCalls } from '../diff/mounted.ts';

/** Null when snapshots in this folder can be mounted. */
export const whyNoOverlay = (calls: MountCalls, folder: string): string | null => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const trial = mkdtempSync(join(folder, 'trial-'));
  const [lower, upper, work, target] = ['lower', 'upper', 'work', 'merged'].map((name) => {
    const path = join(trial, name);
    mkdirSync(path);
    return path;
  }) as [string, string, string, string];
  try {
    const data = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    calls.mount({ source: 'overlay', target, type: 'overlay', flags: 0, data });
    calls.unmount(target, 0);
    return null;
  } catch (error) {
    return `overlayfs cannot be mounted in ${folder}: ${messageOf(error)}`;
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
};
