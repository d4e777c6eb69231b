/** The filter against libseccomp's, and against the policy read literally. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LinuxSeccomp, type LinuxSyscall } from '../../protocol/oci/runtime-spec.ts';
import {
  type Architecture,
  ARCHITECTURES,
  syscallNames,
  syscallNumberOn,
} from '../plan/syscall-numbers.ts';
import { runProgram } from '../testing/bpf-interpreter.ts';
import { exportFromLibseccomp, hasLibseccomp } from '../testing/libseccomp.ts';
import { AUDIT_ARCH } from './actions.ts';
import { compileSeccomp } from './compile.ts';

const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;
const KILL = 0;
const HIGHEST = 600;

const dockerPolicy = (): LinuxSeccomp =>
  LinuxSeccomp.parse(
    JSON.parse(readFileSync(new URL('../testing/docker-seccomp.json', import.meta.url), 'utf8')),
  );

const auditArch = (architecture: Architecture): number =>
  AUDIT_ARCH[architecture === 'x32' ? 'x64' : architecture];

const policyOf = (
  syscalls: readonly LinuxSyscall[],
  changes: Partial<LinuxSeccomp> = {},
): LinuxSeccomp => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [...syscalls],
  ...changes,
});

const verdict = (
  policy: LinuxSeccomp,
  architecture: Architecture,
  name: string,
  args: readonly bigint[] = [],
): number => {
  const nr = syscallNumberOn(name, architecture);
  if (nr === undefined) throw new Error(`no ${name} on ${architecture}`);
  const native = architecture.startsWith('arm') ? 'arm64' : 'x64';
  return runProgram(compileSeccomp(policy, native).program, {
    nr,
    arch: auditArch(architecture),
    args,
  });
};

/** Interesting first arguments of the calls that Docker's policy looks into. */
const ARGUMENTS = [
  0n,
  1n,
  8n,
  17n,
  37n,
  38n,
  39n,
  40n,
  41n,
  0x20000n,
  0x20008n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1000_0000n,
  0x7e02_0000n,
  0x7e02_0000_0000n,
];

test.skipIf(!hasLibseccomp())(
  "agrees with libseccomp on Docker's policy for every call of every architecture",
  () => {
    const policy = dockerPolicy();
    const { program: theirs, known } = exportFromLibseccomp(policy);
    const { program: ours } = compileSeccomp(policy, 'x64');
    const unknown = new Set(syscallNames().filter((name) => !known.has(name)));
    let compared = 0;

    for (const architecture of ['x64', 'x86', 'x32'] as const) {
      const newer = new Set([...unknown].map((name) => syscallNumberOn(name, architecture)));
      const named = (policy.syscalls ?? []).flatMap(({ names }) =>
        names.map((name) => syscallNumberOn(name, architecture) ?? -1),
      );
      const last = Math.max(...named);
      const base = architecture === 'x32' ? 0x4000_0000 : 0;
      for (let nr = base; nr < base + HIGHEST; nr++) {
        for (const first of ARGUMENTS) {
          const call = { nr, arch: auditArch(architecture), args: [first, 0n, 0n, 0n, 0n, 0n] };
          const answer = runProgram(ours, call);
          // Programs of 32 bits have no such argument; for x32 libseccomp does not look at the upper half.
          if (architecture !== 'x64' && first > 0xffff_ffffn) continue;
          // Two differences are meant: calls that this libseccomp has not heard of, and ENOSYS behind the last one.
          if (newer.has(nr)) continue;
          if (nr > last) expect(answer).toBe(ENOSYS);
          else if (answer !== runProgram(theirs, call))
            throw new Error(
              `${architecture} ${nr - base} (${first}): ${answer.toString(16)}, libseccomp ${runProgram(theirs, call).toString(16)}`,
            );
          compared++;
        }
      }
    }

    expect(compared).toBeGreaterThan(10_000);
  },
);

/** The policy read literally: the first unconditional rule, else the first whose conditions hold, else the default. */
const readLiterally = (policy: LinuxSeccomp, name: string, args: readonly bigint[]): number => {
  const action = (syscall: Pick<LinuxSyscall, 'action' | 'errnoRet'>): number =>
    syscall.action === 'SCMP_ACT_ALLOW' ? ALLOW : 0x5_0000 | (syscall.errnoRet ?? 1);
  const rules = (policy.syscalls ?? []).filter(({ names }) => names.includes(name));
  const unconditional = rules.find((rule) => (rule.args ?? []).length === 0);
  if (unconditional) return action(unconditional);
  const fits = rules.find((rule) =>
    (rule.args ?? []).every(({ index, value, valueTwo, op }) => {
      const argument = args[index] ?? 0n;
      const wanted = BigInt(value);
      if (op === 'SCMP_CMP_EQ') return argument === wanted;
      if (op === 'SCMP_CMP_NE') return argument !== wanted;
      if (op === 'SCMP_CMP_LT') return argument < wanted;
      if (op === 'SCMP_CMP_LE') return argument <= wanted;
      if (op === 'SCMP_CMP_GT') return argument > wanted;
      if (op === 'SCMP_CMP_GE') return argument >= wanted;
      return (argument & wanted) === BigInt(valueTwo ?? 0);
    }),
  );
  return fits
    ? action(fits)
    : action({ action: policy.defaultAction, errnoRet: policy.defaultErrnoRet });
};

test.each(ARCHITECTURES)(
  "does on %s what Docker's policy says literally, for every call with a name",
  (architecture) => {
    const policy = {
      ...dockerPolicy(),
      architectures: [
        'SCMP_ARCH_X86_64',
        'SCMP_ARCH_X86',
        'SCMP_ARCH_X32',
        'SCMP_ARCH_AARCH64',
        'SCMP_ARCH_ARM',
      ],
    };
    const { program } = compileSeccomp(policy, 'x64');
    const last = Math.max(
      ...(policy.syscalls ?? []).flatMap(({ names }) =>
        names.map((name) => syscallNumberOn(name, architecture) ?? 0),
      ),
    );

    for (const name of syscallNames()) {
      const nr = syscallNumberOn(name, architecture);
      if (nr === undefined || (architecture === 'x86' && (name === 'socketcall' || name === 'ipc')))
        continue;
      for (const first of ARGUMENTS) {
        const answer = runProgram(program, { nr, arch: auditArch(architecture), args: [first] });
        const expected = nr > last ? ENOSYS : readLiterally(policy, name, [first]);
        if (answer !== expected)
          throw new Error(
            `${name} on ${architecture} with ${first}: ${answer.toString(16)} instead of ${expected.toString(16)}`,
          );
      }
    }
  },
);

const EDGES = [
  0n,
  1n,
  0x7fff_ffffn,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1_0000_0001n,
  0x2_0000_0000n,
  0x001f_ffff_ffff_ffffn,
];

test.each([
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
])('%s compares all 64 bits', (op) => {
  for (const value of EDGES) {
    const policy = policyOf([
      {
        names: ['write'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 2, value: Number(value), op }],
      },
    ]);
    for (const argument of EDGES) {
      expect(verdict(policy, 'x64', 'write', [0n, 0n, argument])).toBe(
        readLiterally(policy, 'write', [0n, 0n, argument]),
      );
    }
  }
});

test('all conditions of a rule on different arguments must hold', () => {
  const args = [
    { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
    { index: 1, value: 2, op: 'SCMP_CMP_GE' },
    { index: 2, value: 0xf, valueTwo: 3, op: 'SCMP_CMP_MASKED_EQ' },
  ];
  const policy = policyOf([{ names: ['write'], action: 'SCMP_ACT_ALLOW', args }]);

  expect(verdict(policy, 'x64', 'write', [1n, 2n, 0x13n])).toBe(ALLOW);
  expect(verdict(policy, 'x64', 'write', [0n, 2n, 0x13n])).toBe(EPERM);
  expect(verdict(policy, 'x64', 'write', [1n, 1n, 0x13n])).toBe(EPERM);
  expect(verdict(policy, 'x64', 'write', [1n, 2n, 0x14n])).toBe(EPERM);
});

test('an architecture that is not listed is killed, and so is x32', () => {
  const policy = policyOf([{ names: ['read'], action: 'SCMP_ACT_ALLOW' }], {
    architectures: ['SCMP_ARCH_X86_64'],
  });

  expect(verdict(policy, 'x64', 'read')).toBe(ALLOW);
  expect(verdict(policy, 'x86', 'read')).toBe(KILL);
  expect(verdict(policy, 'x32', 'read')).toBe(KILL);
});

test('a call that no policy of that age could know answers ENOSYS, a forbidden older one EPERM', () => {
  const policy = policyOf([{ names: ['read', 'openat2'], action: 'SCMP_ACT_ALLOW' }]);

  expect(verdict(policy, 'x64', 'mount')).toBe(EPERM);
  expect(verdict(policy, 'x64', 'mseal')).toBe(ENOSYS);
});

test('what cannot be kept is refused by name', () => {
  expect(() => compileSeccomp(policyOf([], { defaultAction: 'SCMP_ACT_NOTIFY' }), 'x64')).toThrow(
    'SCMP_ACT_NOTIFY cannot be used as default action',
  );
  const asked = (name: string) => policyOf([{ names: [name], action: 'SCMP_ACT_NOTIFY' }]);
  expect(() => compileSeccomp(asked('mkdir'), 'x64')).toThrow('listenerPath is not set');
  expect(() => compileSeccomp(asked('write'), 'x64')).toThrow(
    'SCMP_ACT_NOTIFY cannot be used for the write syscall',
  );
  expect(() =>
    compileSeccomp(
      policyOf([
        {
          names: ['read'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 0, op: 'SCMP_CMP_XX' }],
        },
      ]),
      'x64',
    ),
  ).toThrow('SCMP_CMP_XX');
});
