/**
 * Classic BPF, the language of seccomp filters: a few loads, compares, forward jumps and returns.
 * seccomp(2), linux/bpf_common.h, linux/filter.h (struct sock_filter).
 */

export interface Instruction {
  readonly code: number;
  /** How many instructions to skip when the comparison holds, and when it does not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const CODE = {
  loadWord: 0x20, // BPF_LD | BPF_W | BPF_ABS
  jump: 0x05, // BPF_JMP | BPF_JA
  jumpIfEqual: 0x15, // BPF_JMP | BPF_JEQ | BPF_K
  jumpIfGreater: 0x25, // BPF_JMP | BPF_JGT | BPF_K
  jumpIfGreaterOrEqual: 0x35, // BPF_JMP | BPF_JGE | BPF_K
  and: 0x54, // BPF_ALU | BPF_AND | BPF_K
  return: 0x06, // BPF_RET | BPF_K
} as const;

type Comparison = 'jumpIfEqual' | 'jumpIfGreater' | 'jumpIfGreaterOrEqual';

/** A conditional jump reaches at most so far; farther ones take a plain jump on the way. */
const FARTHEST = 255;

/** struct seccomp_data: int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]. */
export const OFFSET = {
  nr: 0,
  arch: 4,
  argumentLow: (index: number): number => 16 + index * 8,
  argumentHigh: (index: number): number => 20 + index * 8,
} as const;

const plain = (code: number, k: number): Instruction => ({ code, jt: 0, jf: 0, k: k >>> 0 });

export const load = (offset: number): Instruction => plain(CODE.loadWord, offset);
export const and = (mask: number): Instruction => plain(CODE.and, mask);
export const returns = (action: number): Instruction => plain(CODE.return, action);

/** Runs `then` when the comparison of the accumulator holds, else `otherwise`. Both must end in a return, or fall out of `otherwise`. */
export const branch = (
  comparison: Comparison,
  k: number,
  then: readonly Instruction[],
  otherwise: readonly Instruction[],
): readonly Instruction[] => {
  const test = { code: CODE[comparison], k: k >>> 0 };
  if (then.length <= FARTHEST) return [{ ...test, jt: 0, jf: then.length }, ...then, ...otherwise];
  return [{ ...test, jt: 1, jf: 0 }, plain(CODE.jump, then.length), ...then, ...otherwise];
};

/** Compare and jump either way by instruction counts. */
export const fork = (comparison: Comparison, k: number, jt: number, jf: number): Instruction => ({
  code: CODE[comparison],
  k: k >>> 0,
  jt,
  jf,
});

/** Eight bytes each: struct sock_filter { __u16 code; __u8 jt; __u8 jf; __u32 k; }. */
export const assemble = (instructions: readonly Instruction[]): Uint8Array => {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ code, jt, jf, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
};
