/**
 * `linux.seccomp` → a BPF program that the kernel runs before every system call of the container.
 *
 * For each architecture the numbers are cut into ranges with the same answer, and found by binary search.
 * As libseccomp: what has no rule gets the default action, what has an unconditional rule gets that one's.
 * As runc: a call newer than any in the policy answers ENOSYS, so that programs fall back to an older one.
 *
 * seccomp(2), OCI config-linux.md#seccomp. Upstream: libseccomp gen_bpf.c, runc libcontainer/seccomp/.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { LinuxSeccomp, LinuxSyscall } from '../../protocol/oci/runtime-spec.ts';
import { ERRNO } from '../plan/errno.ts';
import {
  type Architecture,
  type NativeArchitecture,
  syscallNumberOn,
  X32_SYSCALL_BIT,
} from '../plan/syscall-numbers.ts';
import {
  actionNumber,
  ALLOW,
  architectureOf,
  AUDIT_ARCH,
  errnoAction,
  filterFlags,
  KILL,
  LOG,
  NEW_LISTENER,
  TSYNC,
  TSYNC_ESRCH,
} from './actions.ts';
import { asksAgent, checkNotify } from './agent.ts';
import { type Condition, conditionalAction, conditionOf } from './conditions.ts';
import { assemble, branch, type Instruction, load, OFFSET, returns } from './bpf.ts';

/** What happens to one system call: the first rule whose conditions all hold, else `otherwise`. */
interface Verdict {
  readonly rules: readonly { readonly conditions: readonly Condition[]; readonly action: number }[];
  readonly otherwise: number;
}

export interface SeccompProgram {
  /** struct sock_filter[] */
  readonly program: Uint8Array;
  /** For seccomp(2). */
  readonly flags: number;
}

/** BPF_MAXINSNS */
const LONGEST = 4096;

/** Most containers of a machine have the same policy, and a plan is compiled while somebody waits. */
let latest: { readonly key: string; readonly compiled: SeccompProgram } | undefined;

export const compileSeccomp = (
  policy: LinuxSeccomp,
  native: NativeArchitecture,
): SeccompProgram => {
  const key = native + JSON.stringify(policy);
  if (latest?.key !== key) latest = { key, compiled: compilePolicy(policy, native) };
  return latest.compiled;
};

const compilePolicy = (policy: LinuxSeccomp, native: NativeArchitecture): SeccompProgram => {
  checkNotify(policy);
  const wanted = (policy.architectures ?? [])
    .map(architectureOf)
    .filter((name) => name !== undefined);
  const architectures = new Set<Architecture>([native, ...wanted]);

  const instructions = [load(OFFSET.arch), ...byArchitecture(policy, architectures)];
  if (instructions.length > LONGEST) {
    throw new EngineError(
      'invalid_argument',
      `the seccomp policy needs ${instructions.length} instructions, the kernel takes ${LONGEST}`,
    );
  }
  const flags = filterFlags(policy.flags ?? []);
  const listener = asksAgent(policy) ? NEW_LISTENER | (flags & TSYNC ? TSYNC_ESRCH : 0) : 0;
  return { program: assemble(instructions), flags: flags | listener };
};

const byArchitecture = (
  policy: LinuxSeccomp,
  architectures: ReadonlySet<Architecture>,
): readonly Instruction[] => {
  // An architecture without rules could call anything under wrong numbers: kill, as libseccomp does.
  let code: readonly Instruction[] = [returns(KILL)];
  for (const architecture of ['arm', 'x86', 'arm64', 'x64'] as const) {
    if (!architectures.has(architecture)) continue;
    let body = search(policy, architecture);
    if (architecture === 'x64') {
      const x32 = architectures.has('x32') ? search(policy, 'x32') : [returns(KILL)];
      body = branch('jumpIfGreaterOrEqual', X32_SYSCALL_BIT, x32, body);
    }
    code = branch('jumpIfEqual', AUDIT_ARCH[architecture], [load(OFFSET.nr), ...body], code);
  }
  return code;
};

/** Calls from this number on, up to the next range, have this verdict. */
interface Range {
  readonly from: number;
  readonly verdict: Verdict;
}

/** Precondition of the code: the accumulator holds the number of the call. */
const search = (policy: LinuxSeccomp, architecture: Architecture): readonly Instruction[] => {
  const fallback = always(actionNumber(policy.defaultAction, policy.defaultErrnoRet));
  const ranges: Range[] = [];
  const add = (from: number, verdict: Verdict): void => {
    const last = ranges.at(-1)?.verdict;
    const isSame =
      last &&
      last.rules.length === 0 &&
      verdict.rules.length === 0 &&
      last.otherwise === verdict.otherwise;
    if (!isSame) ranges.push({ from, verdict });
  };

  let next = 0;
  for (const [number, verdict] of [...verdictsOn(policy, architecture)].sort(([a], [b]) => a - b)) {
    if (number > next) add(next, fallback);
    add(number, verdict);
    next = number + 1;
  }
  add(next, always(actionBeyond(policy, architecture, fallback.otherwise)));
  return searchRanges(ranges);
};

const always = (action: number): Verdict => ({ rules: [], otherwise: action });

const searchRanges = (ranges: readonly Range[]): readonly Instruction[] => {
  const [first] = ranges;
  if (!first) throw new EngineError('internal', 'a seccomp policy without a default');
  if (ranges.length === 1) return verdictCode(first.verdict);
  const middle = Math.floor(ranges.length / 2);
  return branch(
    'jumpIfGreaterOrEqual',
    ranges[middle]?.from ?? 0,
    searchRanges(ranges.slice(middle)),
    searchRanges(ranges.slice(0, middle)),
  );
};

/** EPERM for a call that nobody had heard of when the policy was written would break programs: ENOSYS is the honest answer. */
const actionBeyond = (
  policy: LinuxSeccomp,
  architecture: Architecture,
  defaultAction: number,
): number => {
  if (defaultAction === ALLOW || defaultAction === LOG) return defaultAction;
  const named = (policy.syscalls ?? []).some(({ names }) =>
    names.some((name) => syscallNumberOn(name, architecture) !== undefined),
  );
  return named ? errnoAction(ERRNO.ENOSYS) : defaultAction;
};

const verdictsOn = (
  policy: LinuxSeccomp,
  architecture: Architecture,
): ReadonlyMap<number, Verdict> => {
  const defaultAction = actionNumber(policy.defaultAction, policy.defaultErrnoRet);
  const verdicts = new Map<
    number,
    { rules: { conditions: readonly Condition[]; action: number }[]; unconditional: number | null }
  >();
  const rule = (number: number, conditions: readonly Condition[], action: number): void => {
    const verdict = verdicts.get(number) ?? { rules: [], unconditional: null };
    verdicts.set(number, verdict);
    if (conditions.length > 0) verdict.rules.push({ conditions, action });
    else verdict.unconditional ??= action;
  };

  for (const syscall of policy.syscalls ?? []) {
    const action = actionNumber(syscall.action, syscall.errnoRet);
    const alternatives = alternativesOf(syscall);
    for (const name of syscall.names) {
      const number = syscallNumberOn(name, architecture);
      if (number !== undefined)
        for (const conditions of alternatives) rule(number, conditions, action);
      const multiplexer =
        architecture === 'x86' && (syscall.args ?? []).length === 0
          ? MULTIPLEXED.get(name)
          : undefined;
      const through = multiplexer && syscallNumberOn(multiplexer.through, architecture);
      if (multiplexer && through !== undefined)
        rule(
          through,
          [{ index: 0, op: 'SCMP_CMP_EQ', value: multiplexer.call, valueTwo: 0n }],
          action,
        );
    }
  }
  return new Map(
    [...verdicts].map(([number, { rules, unconditional }]) => [
      number,
      unconditional === null
        ? { rules, otherwise: defaultAction }
        : { rules: [], otherwise: unconditional },
    ]),
  );
};

/** All conditions must hold; but several on one argument are alternatives, as runc has always read them. */
const alternativesOf = (syscall: LinuxSyscall): readonly (readonly Condition[])[] => {
  const conditions = (syscall.args ?? []).map(conditionOf);
  const isRepeated = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  return isRepeated ? conditions.map((condition) => [condition]) : [conditions];
};

/** i386 reaches these calls also through socketcall(2) and ipc(2), by the number in the first argument. */
const MULTIPLEXED: ReadonlyMap<string, { readonly through: string; readonly call: bigint }> =
  new Map(
    (
      'socketcall:socket=1,bind=2,connect=3,listen=4,accept=5,getsockname=6,getpeername=7,socketpair=8,send=9,recv=10,' +
      'sendto=11,recvfrom=12,shutdown=13,setsockopt=14,getsockopt=15,sendmsg=16,recvmsg=17,accept4=18,recvmmsg=19,sendmmsg=20 ' +
      'ipc:semop=1,semget=2,semctl=3,semtimedop=4,msgsnd=11,msgrcv=12,msgget=13,msgctl=14,shmat=21,shmdt=22,shmget=23,shmctl=24'
    )
      .split(' ')
      .flatMap((group) => {
        const [through = '', calls = ''] = group.split(':');
        return calls.split(',').map((entry) => {
          const [name = '', call = '0'] = entry.split('=');
          return [name, { through, call: BigInt(call) }] as const;
        });
      }),
  );

const verdictCode = ({ rules, otherwise }: Verdict): readonly Instruction[] => [
  ...rules.flatMap(({ conditions, action }) => conditionalAction(conditions, action)),
  returns(otherwise),
];
