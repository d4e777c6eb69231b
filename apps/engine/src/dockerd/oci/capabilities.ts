/**
 * Which capabilities a container gets: Docker's fourteen, more by --cap-add, fewer by --cap-drop.
 * See capabilities(7). Upstream: moby daemon/pkg/oci/caps.
 */
import { readFileSync } from 'node:fs';
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';

/** In the order of their numbers, 0 to 40. */
export const ALL_CAPABILITIES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE ' +
  'NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT ' +
  'SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE ' +
  'AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ ' +
  'PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

/** Enough for ordinary programs that start as root; not enough to change the host. */
export const DEFAULT_CAPABILITIES =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`);

const ALL = 'ALL';

/** Those that dockerd itself has: what it lacks it cannot give. proc_pid_status(5). */
const ownCapabilities = (): readonly string[] => {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const own = ALL_CAPABILITIES.filter((_name, number) => (effective >> BigInt(number)) & 1n);
  // Without any (a test, no root) none is held back: the runtime will say what it cannot do.
  return own.length > 0 ? own : ALL_CAPABILITIES;
};

/** They never change while we run. */
let known: readonly string[] | null = null;
const availableCapabilities = (): readonly string[] => (known ??= ownCapabilities());

/** `net_admin`, `NET_ADMIN` and `CAP_NET_ADMIN` are one word. */
const normalize = (field: 'CapAdd' | 'CapDrop', names: readonly string[]): string[] =>
  names.map((given) => {
    const upper = given.toUpperCase();
    if (upper === ALL) return ALL;
    const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    const refuse = (why: string): never => {
      throw new EngineError('invalid_argument', `invalid ${field}: ${why}: "${name}"`);
    };
    if (!ALL_CAPABILITIES.includes(name)) return refuse('unknown capability');
    if (availableCapabilities().includes(name)) return name;
    return refuse(
      'capability not supported by your kernel or not available in the current environment',
    );
  });

export const containerCapabilities = ({
  CapAdd,
  CapDrop,
  Privileged,
}: Pick<HostConfig, 'CapAdd' | 'CapDrop' | 'Privileged'>): string[] => {
  const added = normalize('CapAdd', CapAdd);
  const dropped = normalize('CapDrop', CapDrop);
  if (Privileged) return [...availableCapabilities()];
  let start: readonly string[] = DEFAULT_CAPABILITIES;
  if (added.includes(ALL)) start = availableCapabilities();
  else if (dropped.includes(ALL)) start = [];
  const kept = start.filter((name) => !dropped.includes(name));
  const extra = added.filter((name) => name !== ALL && !kept.includes(name));
  return [...kept, ...new Set(extra)];
};
