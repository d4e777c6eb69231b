/** What the kernel holds for the container so far, one chip for each kind of thing. */
import type { SyscallEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { t } from '../messages/catalogue.ts';
import type { Machine } from './machine.ts';

export interface KernelChip {
  readonly key: string;
  readonly label: string;
  /** The evidence: an inode, a limit, a count. */
  readonly value: string;
}

/** In the order in which runc makes them. Objects not named here (`sync`, `process`) leave nothing behind to show. */
const COUNTED = [
  'mount',
  'root',
  'device',
  'network',
  'identity',
  'limit',
  'capability',
  'seccomp',
] as const satisfies readonly SyscallEvent['object'][];

export const kernelChips = (machine: Machine): readonly KernelChip[] => {
  const chips: KernelChip[] = [];
  const namespaces = Object.entries(machine.namespaces);
  for (const [kind, inode] of namespaces) {
    chips.push({
      key: `ns-${kind}`,
      label: t().chips.namespace(kind),
      value: inode ?? '',
    });
  }
  const { cgroup } = machine.kernel;
  if (cgroup && cgroup.count > 0) {
    chips.push({
      key: 'cgroup',
      label: 'cgroup',
      value: limitWords(machine.cgroup.files),
    });
  }
  for (const object of COUNTED) {
    const label = t().chips[object];
    const seen = machine.kernel[object];
    if (!seen || seen.count === 0) continue;
    const value = isCountable(object) ? String(seen.count) : '';
    const interfaces = object === 'network' ? networkChips(seen.latest) : [];
    chips.push(...(interfaces.length > 0 ? interfaces : [{ key: object, label, value }]));
  }
  return chips;
};

/** The interface with its cable, or its address once it has one, and the ports of the host that lead to it. */
function networkChips(calls: readonly SyscallEvent[]): KernelChip[] {
  const chips = new Map<string, KernelChip>();
  const put = (key: string, label: string, value: string): void => {
    chips.set(key, { key: `net-${key}`, label, value });
  };
  for (const { attributes } of calls) {
    const name = attributes['engineroom.network.interface'];
    const cable = attributes['engineroom.network.host_interface'];
    const address = attributes['engineroom.network.address'];
    const port = attributes['engineroom.port.host'];
    if (typeof name === 'string' && typeof address === 'string') put(name, name, address);
    else if (typeof name === 'string' && !chips.has(name)) put(name, name, String(cable ?? ''));
    if (typeof port !== 'string') continue;
    const inside = String(attributes['engineroom.port.container'] ?? '').replace(/^.*:/, '');
    const outside = port.replace(/^.*:/, '');
    put(`${outside}-${inside}`, t().chips.port, `${outside} → ${inside}`);
  }
  return [...chips.values()];
}

/** Of these each call makes one more; the others are one thing made by several calls. */
const isCountable = (object: SyscallEvent['object']): boolean =>
  object === 'mount' || object === 'limit';

/** cgroup v1 and v2 name the same limits differently. */
const LIMITS: readonly (readonly [RegExp, (value: string) => string])[] = [
  [
    /^memory\.(max|limit_in_bytes)$/,
    (value) => (/^\d+$/.test(value) ? `${Math.round(Number(value) / 1048576)} MiB` : ''),
  ],
  [/^pids\.max$/, (value) => (value === 'max' ? '' : t().chips.pids(value))],
  [/^cpu\.max$/, (value) => cpuWords(value.split(' '))],
  [/^cpu\.cfs_quota_us$/, (value) => cpuWords([value, '100000'])],
];

function cpuWords([quota, period = '100000']: readonly string[]): string {
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? t().chips.cpu(cpus) : '';
}

function limitWords(files: Readonly<Record<string, string>>): string {
  const words = Object.entries(files).flatMap(([path, value]) => {
    const file = path.slice(path.lastIndexOf('/') + 1);
    const limit = LIMITS.find(([pattern]) => pattern.test(file));
    return limit ? [limit[1](value.trim())] : [];
  });
  return words.filter((word) => word !== '').join(', ');
}
