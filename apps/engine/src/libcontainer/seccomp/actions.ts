/**
 * The words of `linux.seccomp` → the kernel's numbers.
 * OCI config-linux.md#seccomp, linux/seccomp.h, linux/audit.h. Upstream: runc libcontainer/seccomp/config.go.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import { ERRNO } from '../plan/errno.ts';
import type { Architecture } from '../plan/syscall-numbers.ts';

const RETURN = {
  SCMP_ACT_KILL: 0x0000_0000,
  SCMP_ACT_KILL_THREAD: 0x0000_0000,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
} as const;

/** What `runc features` lists. */
export const ACTION_WORDS: readonly string[] = Object.keys(RETURN).sort();
export const ALLOW: number = RETURN.SCMP_ACT_ALLOW;
export const LOG: number = RETURN.SCMP_ACT_LOG;
export const KILL: number = RETURN.SCMP_ACT_KILL;
/** The errno 0…4095 stands in the low 16 bits; what is larger the kernel cuts to 4095. */
export const errnoAction = (errno: number): number => RETURN.SCMP_ACT_ERRNO | (errno & 0xffff);

const isAction = (word: string): word is keyof typeof RETURN => Object.hasOwn(RETURN, word);

export const actionNumber = (word: string, errnoRet: number | null | undefined): number => {
  if (!isAction(word))
    throw new EngineError('invalid_argument', `seccomp action ${word} is not known`);
  const takesErrno = word === 'SCMP_ACT_ERRNO' || word === 'SCMP_ACT_TRACE';
  return takesErrno ? (RETURN[word] | ((errnoRet ?? ERRNO.EPERM) & 0xffff)) >>> 0 : RETURN[word];
};

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  SCMP_ARCH_X86_64: 'x64',
  SCMP_ARCH_X86: 'x86',
  SCMP_ARCH_X32: 'x32',
  SCMP_ARCH_AARCH64: 'arm64',
  SCMP_ARCH_ARM: 'arm',
};

export const ARCHITECTURE_WORDS: readonly string[] = Object.keys(ARCHITECTURES).sort();

/** Others exist (mips, s390 …), but no program of theirs can run here, and a filter kills what it does not know. */
export const architectureOf = (word: string): Architecture | undefined =>
  Object.hasOwn(ARCHITECTURES, word) ? ARCHITECTURES[word] : undefined;

/** seccomp_data.arch. x32 shares x86-64's and differs by a bit in the number. */
export const AUDIT_ARCH: Readonly<Record<Exclude<Architecture, 'x32'>, number>> = {
  x64: 0xc000_003e,
  x86: 0x4000_0003,
  arm64: 0xc000_00b7,
  arm: 0x4000_0028,
};

/** seccomp(2): beside TSYNC a listener needs another way to tell of failure. */
export const NEW_LISTENER = 8;
export const TSYNC_ESRCH = 16;
export const TSYNC = 1;

const FILTER_FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: TSYNC,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
};

export const FLAG_WORDS: readonly string[] = Object.keys(FILTER_FLAGS);

export const filterFlags = (words: readonly string[]): number =>
  words.reduce((sum, word) => {
    const bit = Object.hasOwn(FILTER_FLAGS, word) ? FILTER_FLAGS[word] : undefined;
    if (bit === undefined)
      throw new EngineError('invalid_argument', `seccomp flag ${word} is not supported`);
    return sum | bit;
  }, 0);
