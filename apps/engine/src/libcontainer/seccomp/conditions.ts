/**
 * Conditions on the arguments of a system call. Arguments have 64 bits, BPF has 32: each comparison is made in two halves.
 * OCI config-linux.md#seccomp, seccomp_rule_add(3).
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { LinuxSeccompArg } from '../../protocol/oci/runtime-spec.ts';
import { and, fork, type Instruction, load, OFFSET, returns } from './bpf.ts';

export const OPERATOR_WORDS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;
type Operator = (typeof OPERATOR_WORDS)[number];

export interface Condition {
  readonly index: number;
  readonly op: Operator;
  /** The value to compare with; for MASKED_EQ the mask … */
  readonly value: bigint;
  /** … and the value that the masked argument must have. */
  readonly valueTwo: bigint;
}

export const conditionOf = ({ index, op, value, valueTwo }: LinuxSeccompArg): Condition => {
  const operator = OPERATOR_WORDS.find((known) => known === op);
  if (!operator) throw new EngineError('invalid_argument', `seccomp operator ${op} is not known`);
  return { index, op: operator, value: BigInt(value), valueTwo: BigInt(valueTwo ?? 0) };
};

/** Returns `action` when all conditions hold, else falls out of the end. */
export const conditionalAction = (
  conditions: readonly Condition[],
  action: number,
): readonly Instruction[] => {
  // From the last condition to the first, as each jumps over all that follows it.
  let code: readonly Instruction[] = [returns(action)];
  for (const condition of [...conditions].reverse()) code = guarded(condition, code);
  return code;
};

const high = (value: bigint): number => Number(value >> 32n) >>> 0;
const low = (value: bigint): number => Number(value & 0xffff_ffffn);

/** `body` runs when the condition holds; otherwise control reaches what stands behind it. */
const guarded = (
  { index, op, value, valueTwo }: Condition,
  body: readonly Instruction[],
): readonly Instruction[] => {
  const loadHigh = load(OFFSET.argumentHigh(index));
  const loadLow = load(OFFSET.argumentLow(index));
  const past = body.length;
  switch (op) {
    case 'SCMP_CMP_EQ':
      return [
        loadHigh,
        fork('jumpIfEqual', high(value), 0, past + 2),
        loadLow,
        fork('jumpIfEqual', low(value), 0, past),
        ...body,
      ];
    case 'SCMP_CMP_NE':
      return [
        loadHigh,
        fork('jumpIfEqual', high(value), 0, 2),
        loadLow,
        fork('jumpIfEqual', low(value), past, 0),
        ...body,
      ];
    case 'SCMP_CMP_MASKED_EQ':
      return [
        loadHigh,
        and(high(value)),
        fork('jumpIfEqual', high(valueTwo), 0, past + 3),
        loadLow,
        and(low(value)),
        fork('jumpIfEqual', low(valueTwo), 0, past),
        ...body,
      ];
    case 'SCMP_CMP_GT':
    case 'SCMP_CMP_GE': {
      const compare = op === 'SCMP_CMP_GT' ? 'jumpIfGreater' : 'jumpIfGreaterOrEqual';
      return [
        loadHigh,
        fork('jumpIfGreater', high(value), 3, 0),
        fork('jumpIfEqual', high(value), 0, past + 2),
        loadLow,
        fork(compare, low(value), 0, past),
        ...body,
      ];
    }
    case 'SCMP_CMP_LT':
    case 'SCMP_CMP_LE': {
      const compare = op === 'SCMP_CMP_LT' ? 'jumpIfGreaterOrEqual' : 'jumpIfGreater';
      return [
        loadHigh,
        fork('jumpIfGreater', high(value), past + 3, 0),
        fork('jumpIfEqual', high(value), 0, 2),
        loadLow,
        fork(compare, low(value), past, 0),
        ...body,
      ];
    }
  }
};
