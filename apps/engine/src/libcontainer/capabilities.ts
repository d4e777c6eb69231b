/**
 * root's power in pieces: what the container may keep of it.
 * capabilities(7), capset(2), prctl(2). Upstream: runc libcontainer/capabilities/capabilities.go.
 */
import type { Compilation } from './compilation.ts';
import { isInUserNamespace } from './namespaces.ts';
import { PR } from './plan/constants.ts';
import { ERRNO } from './plan/errno.ts';
import { number, pack, struct } from './plan/stage-builder.ts';

/** In the order of their numbers. linux/capability.h */
export const CAPABILITIES = `
  CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP
  CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER
  CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE
  CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP
  CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF
  CAP_CHECKPOINT_RESTORE
`
  .trim()
  .split(/\s+/);

/** As runc: names that this kernel or this process does not have are left out, they could not be granted anyway. */
export const capabilityMask = (names: readonly string[] | undefined, available: bigint): bigint =>
  (names ?? []).reduce((mask, name) => {
    const bit = CAPABILITIES.indexOf(name);
    return bit < 0 ? mask : mask | ((1n << BigInt(bit)) & available);
  }, 0n);

type CapabilitySet = 'bounding' | 'effective' | 'permitted' | 'inheritable' | 'ambient';

/** A process that enters a user namespace gets all that there are, whatever runc itself was left with. */
const availableTo = (c: Compilation): bigint =>
  isInUserNamespace(c)
    ? (1n << BigInt(c.facts.lastCapability + 1)) - 1n
    : c.facts.boundingCapabilities;

const setsOf = (c: Compilation): Readonly<Record<CapabilitySet, bigint>> | null => {
  const wanted = c.process.capabilities;
  if (!wanted) return null;
  const mask = (set: CapabilitySet): bigint => capabilityMask(wanted[set], availableTo(c));
  return {
    bounding: mask('bounding'),
    effective: mask('effective'),
    permitted: mask('permitted'),
    inheritable: mask('inheritable'),
    ambient: mask('ambient'),
  };
};

/** What is not in the bounding set can never come back, not even by a set-uid program. */
export const dropBoundingSet = (c: Compilation): void => {
  const sets = setsOf(c);
  if (!sets) return;
  for (let bit = 0; bit <= c.facts.lastCapability; bit++) {
    const mask = 1n << BigInt(bit);
    const isThere = (availableTo(c) & mask) !== 0n;
    if (!isThere || (sets.bounding & mask) !== 0n) continue;
    const name = CAPABILITIES[bit] ?? `capability ${bit}`;
    c.init.call('prctl', [number(PR.PR_CAPBSET_DROP, 'PR_CAPBSET_DROP'), number(bit, name)], {
      title: `give up ${name} for ever`,
      object: 'capability',
      source: __SOURCE__,
      reference: 'man:capabilities(7)',
      purpose: 'capabilities',
    });
  }
};

/** Changing from root to another user would drop everything; what config.json grants must survive it. */
export const keepCapabilities = (c: Compilation, keep: boolean): void => {
  c.init.call('prctl', [number(PR.PR_SET_KEEPCAPS, 'PR_SET_KEEPCAPS'), number(keep ? 1 : 0)], {
    title: keep
      ? 'keep capabilities while the user changes'
      : 'from here on a change of user drops them again',
    object: 'capability',
    source: __SOURCE__,
    reference: 'man:capabilities(7)',
    purpose: 'capabilities',
  });
};

const LINUX_CAPABILITY_VERSION_3 = 0x2008_0522;

export const setCapabilities = (c: Compilation): void => {
  const sets = setsOf(c);
  if (!sets) return;
  const { effective, permitted, inheritable, ambient } = sets;
  const header = pack([
    [4, LINUX_CAPABILITY_VERSION_3],
    [4, 0],
  ]);
  const words = [0n, 32n].flatMap((shift) =>
    [effective, permitted, inheritable].map((set) => [4, (set >> shift) & 0xffff_ffffn] as const),
  );
  const hex = (set: bigint): string => `0x${set.toString(16)}`;
  c.init.call(
    'capset',
    [
      struct({ bytes: header }, '{version=_LINUX_CAPABILITY_VERSION_3, pid=0}'),
      struct(
        { bytes: pack(words) },
        `{effective=${hex(effective)}, permitted=${hex(permitted)}, inheritable=${hex(inheritable)}}`,
      ),
    ],
    {
      title: `of root's ${c.facts.lastCapability + 1} capabilities, ${countBits(effective)} are left`,
      object: 'capability',
      level: 'step',
      source: __SOURCE__,
      reference: 'man:capset(2)',
      purpose: 'capabilities',
    },
  );
  c.init.call(
    'prctl',
    [
      number(PR.PR_CAP_AMBIENT, 'PR_CAP_AMBIENT'),
      number(PR.PR_CAP_AMBIENT_CLEAR_ALL, 'PR_CAP_AMBIENT_CLEAR_ALL'),
      number(0),
      number(0),
      number(0),
    ],
    {
      title: 'no capability is handed on to programs of other users',
      object: 'capability',
      source: __SOURCE__,
      reference: 'man:capabilities(7)',
      purpose: 'capabilities',
    },
  );
  CAPABILITIES.forEach((name, bit) => {
    if ((ambient & (1n << BigInt(bit))) === 0n) return;
    c.init.call(
      'prctl',
      [
        number(PR.PR_CAP_AMBIENT, 'PR_CAP_AMBIENT'),
        number(PR.PR_CAP_AMBIENT_RAISE, 'PR_CAP_AMBIENT_RAISE'),
        number(bit, name),
        number(0),
        number(0),
      ],
      {
        title: `… but ${name}`,
        object: 'capability',
        source: __SOURCE__,
        reference: 'man:capabilities(7)',
        // Only what is inheritable can be ambient, and `runc spec` itself names more: as upstream, that is no failure.
        ignore: [ERRNO.EPERM],
        purpose: 'capabilities',
      },
    );
  });
};

const countBits = (set: bigint): number => set.toString(2).replaceAll('0', '').length;
