/** Whether this machine lets us start containers, and if not, why: then the page shows recorded runs. */
import { existsSync, readFileSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { messageOf } from '../protocol/errdefs.ts';

export interface Capabilities {
  /** Null when containers can be started; else a sentence for the page. */
  readonly reason: string | null;
  readonly native: Native | null;
}

const missing = (): string | null => {
  if (process.platform !== 'linux') return 'containers are made by the Linux kernel, and this machine runs another';
  if (process.getuid?.() !== 0) return 'root is needed to make namespaces, mounts and cgroups: start it with sudo';
  for (const kind of ['pid', 'mnt', 'uts', 'ipc', 'net']) {
    if (!existsSync(`/proc/self/ns/${kind}`)) return `this kernel has no ${kind} namespaces`;
  }
  // A module that is not loaded yet is not listed; mount(2) loads it, which the engine will find out.
  const filesystems = readFileSync('/proc/filesystems', 'utf8');
  if (!/\boverlay$/m.test(filesystems) && !existsSync('/lib/modules')) return 'this kernel has no overlayfs';
  return null;
};

export const findCapabilities = async (): Promise<Capabilities> => {
  const reason = missing();
  try {
    const { native } = await import('../native/load.ts');
    return { reason, native };
  } catch (error) {
    return { reason: reason ?? `the native part is not built: ${messageOf(error)}`, native: null };
  }
};
