/**
 * Devices on cgroup version 2: there is no file for them, a small eBPF program in the kernel decides each open and mknod.
 * bpf(2), kernel Documentation/admin-guide/cgroup-v2.rst "Device controller". Upstream: opencontainers/cgroups devices/.
 */
import type { LinuxDeviceCgroup } from '../../protocol/oci/runtime-spec.ts';
import { type Compilation, SLOT } from '../compilation.ts';
import { BPF } from '../plan/constants.ts';
import { cString, number, pack, struct } from '../plan/stage-builder.ts';
import { type DeviceRule, deviceRules } from './device-rules.ts';

/** linux/bpf.h: what the program is told of the access. */
const TYPE = { b: 1, c: 2 } as const;
const ACCESS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const ALL_ACCESS = 7;

const OP = {
  loadWord: 0x61,
  and: 0x54,
  shiftRight: 0x74,
  move: 0xbc,
  set: 0xb7,
  exit: 0x95,
} as const;
const JUMP = { equal: 0x16, notEqual: 0x56, notEqualRegister: 0x5e } as const;
/** The verdict, the scratch register, and what the prologue puts into the others. */
const REGISTER = { verdict: 0, scratch: 1, type: 2, access: 3, major: 4, minor: 5 } as const;

type Instruction = readonly [
  op: number,
  destination: number,
  source: number,
  offset: number,
  immediate: number,
];

/** The last rule that fits decides, so the program asks them from the last to the first. Nothing fits: denied. */
export const deviceProgram = (rules: readonly DeviceRule[]): Uint8Array => {
  const { verdict, scratch, type, access, major, minor } = REGISTER;
  const program: Instruction[] = [
    [OP.loadWord, type, scratch, 0, 0],
    [OP.move, access, type, 0, 0],
    [OP.and, type, 0, 0, 0xffff],
    [OP.shiftRight, access, 0, 0, 16],
    [OP.loadWord, major, scratch, 4, 0],
    [OP.loadWord, minor, scratch, 8, 0],
    ...[...rules].reverse().flatMap(ruleInstructions),
    [OP.set, verdict, 0, 0, 0],
    [OP.exit, 0, 0, 0, 0],
  ];
  return pack(
    program.flatMap(([op, destination, source, offset, immediate]) => [
      [1, op] as const,
      [1, destination | (source << 4)] as const,
      [2, offset] as const,
      [4, immediate] as const,
    ]),
  );
};

const ruleInstructions = (rule: DeviceRule): Instruction[] => {
  const { verdict, scratch, type, access, major, minor } = REGISTER;
  const bits = rule.access.split('').reduce((sum, letter) => sum | (ACCESS[letter] ?? 0), 0);
  const body: Instruction[] = [];
  if (rule.type !== 'a') body.push([JUMP.notEqual, type, 0, 0, TYPE[rule.type]]);
  if (bits !== ALL_ACCESS) {
    body.push([OP.move, scratch, access, 0, 0], [OP.and, scratch, 0, 0, bits]);
    // Allowed is who asks for nothing else; denied is who asks for any of it.
    body.push(
      rule.allow ? [JUMP.notEqualRegister, scratch, access, 0, 0] : [JUMP.equal, scratch, 0, 0, 0],
    );
  }
  if (rule.type !== 'a' && rule.major !== null) body.push([JUMP.notEqual, major, 0, 0, rule.major]);
  if (rule.type !== 'a' && rule.minor !== null) body.push([JUMP.notEqual, minor, 0, 0, rule.minor]);
  body.push([OP.set, verdict, 0, 0, rule.allow ? 1 : 0], [OP.exit, 0, 0, 0, 0]);
  // A jump that is taken skips the rest of the rule.
  const jumps: readonly number[] = Object.values(JUMP);
  return body.map((instruction, index) => {
    const [op, destination, source, , immediate] = instruction;
    return jumps.includes(op)
      ? [op, destination, source, body.length - index - 1, immediate]
      : instruction;
  });
};

/** Precondition: the slot `cgroup` holds the container's cgroup. */
export const limitDevices = (c: Compilation, rules: readonly LinuxDeviceCgroup[]): void => {
  const program = deviceProgram(deviceRules(rules));
  const load = {
    bytes: pack([
      [4, BPF.BPF_PROG_TYPE_CGROUP_DEVICE],
      [4, program.length / 8],
      [8, 0], // insns
      [8, 0], // license
      [4, 0], // log_level
      [4, 0], // log_size
      [8, 0], // log_buf
      [4, 0], // kern_version
      [4, 0], // prog_flags
      [8, 0], // prog_name
      [8, 0],
      [4, 0], // prog_ifindex
      [4, BPF.BPF_CGROUP_DEVICE], // expected_attach_type
    ]),
    patches: [
      { offset: 8, pointerTo: { bytes: program } },
      { offset: 16, pointerTo: cString('Apache') },
    ],
  };
  c.parent.call(
    'bpf',
    [
      number(BPF.BPF_PROG_LOAD, 'BPF_PROG_LOAD'),
      struct(load, `{prog_type=BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt=${program.length / 8}}`),
      number(load.bytes.length),
    ],
    {
      title: 'a small program that says which devices may be used',
      object: 'device',
      source: __SOURCE__,
      reference: 'man:bpf(2)',
      resultSlot: SLOT.deviceFilter,
      purpose: 'device filter',
    },
  );
  const attach = {
    bytes: pack([
      [4, 0], // target_fd
      [4, 0], // attach_bpf_fd
      [4, BPF.BPF_CGROUP_DEVICE],
      [4, BPF.BPF_F_ALLOW_MULTI],
      [4, 0], // replace_bpf_fd
    ]),
    patches: [
      { offset: 0, slot: SLOT.cgroup },
      { offset: 4, slot: SLOT.deviceFilter },
    ],
  };
  c.parent.call(
    'bpf',
    [
      number(BPF.BPF_PROG_ATTACH, 'BPF_PROG_ATTACH'),
      struct(
        attach,
        '{target_fd=<cgroup>, attach_bpf_fd=<device filter>, attach_type=BPF_CGROUP_DEVICE}',
      ),
      number(attach.bytes.length),
    ],
    {
      title: 'the kernel asks that program at every open and mknod in the cgroup',
      object: 'device',
      source: __SOURCE__,
      reference: 'man:bpf(2)',
      purpose: 'device filter',
    },
  );
};
