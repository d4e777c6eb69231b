/**
 * Mounts the container's root filesystem: the image's read-only layers with one writable on top.
 * The shim does it, not runc: runc gets a bundle whose `rootfs` is ready. mount(2), overlayfs in the kernel's docs.
 */
import { mkdirSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Native, NativeError } from '../../../../native/native.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import type { Attributes } from '../protocol/trace/event.ts';
import { spanStartedId } from '../protocol/trace/event-id.ts';
import { currentContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import {
  compactLowerDirectories,
  MS_BIND,
  MS_RDONLY,
  MS_REMOUNT,
  parseMountOptions,
} from './mount-options.ts';

export interface RootMount {
  readonly type: string;
  readonly source: string;
  /** Below the rootfs; empty for the rootfs itself. */
  readonly target: string;
  readonly options: readonly string[];
}

interface MountCall {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly flags: number;
  readonly data: string;
}

const DATA_LIMIT_BYTES = 4095;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

const optionOf = (data: readonly string[], name: string): string | undefined =>
  data.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);

const attributesOf = (call: MountCall, data: readonly string[]): Attributes => {
  const lower = optionOf(data, 'lowerdir');
  const upper = optionOf(data, 'upperdir');
  return {
    'engineroom.mount.target': call.target,
    'engineroom.mount.type': call.type,
    ...(lower === undefined ? {} : { 'engineroom.overlay.lower': lower.split(':') }),
    ...(upper === undefined ? {} : { 'engineroom.overlay.upper': upper }),
  };
};

/** Makes the call and tells of it, with its result, whatever that is; `false` says that there was nothing to do. */
const tell = <T>(
  tracer: Tracer,
  call: {
    readonly name: string;
    readonly detail: string;
    readonly title: string;
    readonly attributes: Attributes;
  },
  work: () => T,
): T => {
  const context = currentContext();
  const mono = process.hrtime.bigint();
  let failure: Partial<NativeError> | undefined;
  let result: T | undefined;
  try {
    result = work();
    return result;
  } catch (error) {
    failure = error as NativeError;
    throw error;
  } finally {
    if (context && result !== false)
      tracer.emit({
        type: 'syscall',
        spanId: context.spanId,
        caller: { actor: 'shim', pid: process.pid },
        ...call,
        object: 'mount',
        mono: mono.toString(),
        endMono: process.hrtime.bigint().toString(),
        result: failure ? -1 : 0,
        errno: failure?.code ?? null,
        ignored: false,
        reference: call.name === 'mount' ? 'man:mount(2)' : 'man:umount(2)',
        level: 'step',
        cause: spanStartedId(context.spanId),
        source: __SOURCE__,
      });
  }
};

const targetOf = (rootfs: string, mount: RootMount): string => {
  const target = normalize(join(rootfs, mount.target));
  if (target !== rootfs && !target.startsWith(`${rootfs}/`))
    throw new EngineError(
      'invalid_argument',
      `mount target ${JSON.stringify(mount.target)} is outside of the rootfs`,
    );
  return target;
};

const mountOne = (native: Native, tracer: Tracer, rootfs: string, mount: RootMount): void => {
  const target = targetOf(rootfs, mount);
  const { flags, data: words } = parseMountOptions(mount.options);
  const isLong = words.join(',').length > DATA_LIMIT_BYTES;
  const { directory, data } = isLong
    ? compactLowerDirectories(words)
    : { directory: null, data: words };
  const call = { source: mount.source, target, type: mount.type, flags, data: data.join(',') };
  if (call.data.length > DATA_LIMIT_BYTES)
    throw new EngineError('invalid_argument', `mount options of ${target} are longer than a page`);
  const previous = process.cwd();
  if (directory !== null) process.chdir(directory);
  try {
    const what =
      mount.type === 'overlay'
        ? 'lay the writable layer over the image’s layers'
        : `mount ${mount.type} as the root filesystem`;
    const detail = `"${call.source}", "${target}", "${call.type}", ${flags}, "${call.data}"`;
    tell(
      tracer,
      { name: 'mount', detail, title: what, attributes: attributesOf(call, words) },
      () => native.mount(call),
    );
    // The kernel ignores `ro` when it makes a bind mount; it takes a second call. mount(2), "Remounting".
    if ((flags & MS_BIND) !== 0 && (flags & MS_RDONLY) !== 0)
      native.mount({ ...call, flags: flags | MS_REMOUNT });
  } finally {
    if (directory !== null) process.chdir(previous);
  }
};

/** Precondition: nothing is mounted there. Leaves nothing behind when it fails. */
export const mountRootfs = (
  native: Native,
  tracer: Tracer,
  rootfs: string,
  mounts: readonly RootMount[],
): void => {
  mkdirSync(rootfs, { recursive: true, mode: 0o711 });
  try {
    for (const mount of mounts) mountOne(native, tracer, rootfs, mount);
  } catch (error) {
    unmountRootfs(native, tracer, rootfs);
    throw error instanceof EngineError
      ? error
      : new EngineError('unknown', `failed to mount rootfs component: ${messageOf(error)}`, {
          cause: error,
        });
  }
};

/** Unmounts everything that is stacked there; nothing at all is fine. Upstream: containerd core/mount (UnmountAll). */
export const unmountRootfs = (native: Native, tracer: Tracer, rootfs: string): void => {
  const call = {
    name: 'umount2',
    detail: `"${rootfs}", MNT_DETACH|UMOUNT_NOFOLLOW`,
    title: 'take the root filesystem away',
    attributes: { 'engineroom.mount.target': rootfs },
  };
  while (tell(tracer, call, () => unmountTop(native, rootfs))) continue;
};

/** False when nothing is mounted there, or nothing is there at all. To ask first would be to read every mount of the host. */
const unmountTop = (native: Native, path: string): boolean => {
  try {
    native.unmount(path, MNT_DETACH | UMOUNT_NOFOLLOW);
    return true;
  } catch (error) {
    const { code } = error as NativeError;
    if (code === 'EINVAL' || code === 'ENOENT') return false;
    throw error;
  }
};
