/**
 * Devices, FIFOs and extended attributes: what Node has no call for.
 * A device node is rare in a layer, so mknod(1) of coreutils makes it; the path is handed over by our descriptor.
 */
import { execFileSync } from 'node:child_process';
import type { SpecialFiles } from './unpack.ts';

/** The path is ours (`/proc/self/fd/…`); in the child `self` would be somebody else. */
const fromOutside = (path: string): string => path.replace('/proc/self/', `/proc/${process.pid}/`);

export const specialFiles = (mkfifo: (path: string, mode: number) => void): SpecialFiles => ({
  makeDevice: (path, type, { major, minor }) => {
    execFileSync('mknod', [fromOutside(path), type, String(major), String(minor)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  },
  makeFifo: mkfifo,
  setAttribute: () => false,
});
