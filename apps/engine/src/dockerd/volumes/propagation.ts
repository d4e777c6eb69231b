/**
 * `-v /a:/b:rshared`: mounts that are made later travel between host and container. They can only when the host's own
 * mount, below which the folder lies, lets them. mount_namespaces(7), proc_pid_mountinfo(5).
 * Upstream: moby daemon/oci_linux.go ensureShared, ensureSharedOrSlave.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { EngineError } from '../../protocol/errdefs.ts';
import type { MountPoint } from './mount-points.ts';

interface HostMount {
  readonly target: string;
  /** Such as `shared:1` and `master:2`. */
  readonly tags: readonly string[];
}

/** "36 35 98:0 /root /target options tags… - type source …", with octal escapes for blanks. */
const parseLine = (line: string): HostMount => {
  const fields = line.split(' ');
  const target = (fields[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return { target, tags: fields.slice(6, fields.indexOf('-', 6)) };
};

export const mountAbove = (path: string, mountinfo: string): HostMount | null => {
  let best: HostMount | null = null;
  for (const line of mountinfo.split('\n')) {
    const mount = parseLine(line);
    const isAbove =
      mount.target === '/' || path === mount.target || path.startsWith(`${mount.target}/`);
    // Of several at one place the last one is seen.
    if (isAbove && mount.target.length >= (best?.target.length ?? 0)) best = mount;
  }
  return best;
};

const NEEDS: Readonly<Record<string, readonly [tags: readonly string[], word: string]>> = {
  shared: [['shared:'], 'shared'],
  rshared: [['shared:'], 'shared'],
  slave: [['shared:', 'master:'], 'shared or slave'],
  rslave: [['shared:', 'master:'], 'shared or slave'],
};

/** Precondition: the sources are there. */
export const checkPropagation = (points: readonly MountPoint[]): void => {
  const travelling = points.filter(({ propagation }) => Object.hasOwn(NEEDS, propagation));
  if (travelling.length === 0) return;
  const mountinfo = readFileSync('/proc/self/mountinfo', 'utf8');
  for (const { source, propagation } of travelling) {
    const [tags, word] = NEEDS[propagation] ?? [[], ''];
    const mount = mountAbove(realpathSync(source), mountinfo);
    if (mount?.tags.some((own) => tags.some((tag) => own.startsWith(tag)))) continue;
    throw new EngineError(
      'internal',
      `path ${source} is mounted on ${mount?.target ?? '/'} but it is not a ${word} mount`,
    );
  }
};
