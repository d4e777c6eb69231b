/**
 * `mounts` of config.json, read and checked; what cannot be done is refused before anything is made.
 * OCI config.md#mounts. Upstream: runc libcontainer/specconv/spec_linux.go, rootfs_linux.go (checkProcMount).
 */
import { resolve } from 'node:path';
import type { Mount } from '../../protocol/oci/runtime-spec.ts';
import { type Compilation, type ImageModeOf, refuse } from '../compilation.ts';
import { normalPath } from '../normal-path.ts';
import { MS } from '../plan/constants.ts';
import { type IdMap, idMapOf } from './id-maps.ts';
import { type MountOptions, parseMountOptions } from './mount-options.ts';

export interface ParsedMount extends MountOptions {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly isBind: boolean;
  readonly idMap: IdMap | null;
}

export const parseMounts = (c: Compilation, imageModeOf: ImageModeOf): readonly ParsedMount[] =>
  (c.spec.mounts ?? [])
    .map((mount) => parseMount(mount, c))
    .map((mount) => withImageMode(mount, imageModeOf));

/** As upstream, a tmpfs on a folder of the image has its permissions; others that are asked for come first. */
const withImageMode = (mount: ParsedMount, imageModeOf: ImageModeOf): ParsedMount => {
  if (mount.type !== 'tmpfs' || /(^|,)mode=/.test(mount.data)) return mount;
  const mode = imageModeOf(mount.destination);
  if (mode === null) return mount;
  const words = [`mode=${mode.toString(8).padStart(4, '0')}`, mount.data];
  return { ...mount, data: words.filter(Boolean).join(',') };
};

const parseMount = (mount: Mount, { bundle, linux }: Compilation): ParsedMount => {
  const options = parseMountOptions(mount.options ?? []);
  const destination = normalPath(mount.destination);
  if (destination === '/') refuse('a mount over / is not supported');
  const isBind = (options.flags & MS.MS_BIND) !== 0 || mount.type === 'bind';
  const type = isBind ? 'bind' : (mount.type ?? '');
  if (type === '') refuse(`the mount on ${destination} has no type`);
  if (options.flags & MS.MS_REMOUNT)
    refuse(`the mount option remount is not supported (${destination})`);
  if (isBind && !mount.source) refuse(`the bind mount on ${destination} has no source`);
  const source = isBind ? fromBundle(bundle, mount.source ?? '') : (mount.source ?? type);
  checkBelowProc(destination, { type, source: isBind ? source : '' });
  if (isBind && options.data !== '')
    refuse(
      `invalid mount on ${destination}: bind mounts cannot have any filesystem-specific options applied (${options.data})`,
    );
  const idMap = idMapOf(mount, linux);
  if (idMap && !isBind) refuse(`only a bind mount can be id-mapped (${destination})`);
  if (options.copiesUp && type !== 'tmpfs')
    refuse(`the mount option tmpcopyup is only for a tmpfs (${destination})`);
  return {
    ...options,
    idMap,
    flags: isBind ? options.flags | MS.MS_BIND : options.flags,
    destination,
    type,
    source,
    isBind,
  };
};

const fromBundle = (bundle: string, source: string): string =>
  source.startsWith('/') ? normalPath(source) : resolve(bundle, source);

/** Files of /proc that some replace by ones that tell the container's own numbers (lxcfs). */
const REPLACEABLE = new Set(
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo net/dev sys/kernel/ns_last_pid sys/crypto/fips_enabled'
    .split(' ')
    .map((file) => `/proc/${file}`),
);

/**
 * A /proc that is not the kernel's would make masked paths and later writes protect nothing (CVE-2019-16884,
 * CVE-2019-19921): only a proc filesystem may stand there, and nothing else may stand in it.
 */
const checkBelowProc = (
  destination: string,
  { type, source }: { readonly type: string; readonly source: string },
): void => {
  if (destination === '/proc') {
    if (type !== 'proc' && source !== '/proc')
      refuse(`"/proc" cannot be mounted because it is not of type proc`);
  } else if (destination.startsWith('/proc/') && !REPLACEABLE.has(destination)) {
    refuse(`${JSON.stringify(destination)} cannot be mounted because it is inside /proc`);
  }
};
