/** Whether this machine lets us start containers, and if not, why: then the page shows recorded runs. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { messageOf } from '../protocol/errdefs.ts';

export interface Capabilities {
  /** Null when containers can be started; else a sentence for the page. */
  readonly reason: string | null;
  readonly native: Native | null;
}

const missing = (): string | null => {
  if (process.platform !== 'linux')
    return 'containers are made by the Linux kernel, and this machine runs another';
  if (process.getuid?.() !== 0)
    return 'root is needed to make namespaces, mounts and cgroups: start it with sudo';
  for (const kind of ['pid', 'mnt', 'uts', 'ipc', 'net']) {
    if (!existsSync(`/proc/self/ns/${kind}`)) return `this kernel has no ${kind} namespaces`;
  }
  return null;
};

const MS_BIND = 4096;

/** Asks the kernel by doing it: whether it lets us mount at all. Without overlayfs layers are copied. mount(2) */
const tryMount = (native: Native, dataRoot: string): string | null => {
  mkdirSync(dataRoot, { recursive: true, mode: 0o711 });
  const folder = mkdtempSync(join(dataRoot, '.mount-'));
  try {
    native.mount({ source: folder, target: folder, type: '', flags: MS_BIND, data: '' });
    native.unmount(folder, 0);
    return null;
  } catch (error) {
    return `nothing can be mounted in ${dataRoot} (${messageOf(error)}): see npm run doctor`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const findCapabilities = async (dataRoot: string): Promise<Capabilities> => {
  const reason = missing();
  try {
    const { native } = await import('../native/load.ts');
    return { reason: reason ?? tryMount(native, dataRoot), native };
  } catch (error) {
    return { reason: reason ?? `the native part is not built: ${messageOf(error)}`, native: null };
  }
};
