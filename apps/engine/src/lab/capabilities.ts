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

/** Asks the kernel by doing it: whether overlayfs is there, takes this file system, and lets us mount at all. mount(2) */
const tryOverlay = (native: Native, dataRoot: string): string | null => {
  mkdirSync(dataRoot, { recursive: true, mode: 0o711 });
  const folder = mkdtempSync(join(dataRoot, '.overlay-'));
  const place = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  try {
    const data = `lowerdir=${place('lower')},upperdir=${place('upper')},workdir=${place('work')}`;
    const target = place('merged');
    native.mount({ source: 'overlay', target, type: 'overlay', flags: 0, data });
    native.unmount(target, 0);
    return null;
  } catch (error) {
    return `overlayfs cannot be mounted in ${dataRoot} (${messageOf(error)}): see npm run doctor`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const findCapabilities = async (dataRoot: string): Promise<Capabilities> => {
  const reason = missing();
  try {
    const { native } = await import('../native/load.ts');
    return { reason: reason ?? tryOverlay(native, dataRoot), native };
  } catch (error) {
    return { reason: reason ?? `the native part is not built: ${messageOf(error)}`, native: null };
  }
};
