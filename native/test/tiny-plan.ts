/**
 * A second, small encoder of plans, written from native/src/plan.h alone: the engine's own (libcontainer/plan/encode.ts)
 * is not needed to test the helper, and a mistake in one of them shows in the other's tests.
 */

const HEADER = 296;
const STEP = 104;
const EMPTY = -(2n ** 63n);

/** System call numbers: x86-64 and arm64 (asm/unistd.h). */
const numbers = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  ioctl: [16, 29],
  getpid: [39, 172],
  getppid: [110, 173],
  sendmsg: [46, 211],
  execve: [59, 221],
  kill: [62, 129],
  fchdir: [81, 50],
  openat: [257, 56],
  unlinkat: [263, 35],
  readlinkat: [267, 78],
  pipe2: [293, 59],
  sethostname: [170, 161],
  clone3: [435, 435],
  prctl: [157, 167],
} as const satisfies Record<string, readonly [number, number]>;

export type CallName = keyof typeof numbers;

export type TinyArgument =
  | number
  | bigint
  | string
  | Uint8Array
  | { readonly slot: number }
  | { readonly fdPath: number }
  | { readonly pair: readonly [number, number] }
  | TinyStruct;

/** Bytes with pointers (to other bytes) and slots in them. */
export interface TinyStruct {
  readonly bytes: Uint8Array;
  readonly pointers?: readonly { readonly at: number; readonly to: TinyStruct | Uint8Array }[];
  readonly slots?: readonly { readonly at: number; readonly slot: number }[];
}

export interface TinyStep {
  readonly call?: CallName;
  readonly arguments?: readonly TinyArgument[];
  readonly writeFile?: { readonly path: string; readonly data: string };
  readonly copyTree?: { readonly from: number; readonly to: number };
  readonly forksInit?: boolean;
  readonly guard?: { readonly kind: 1 | 2 | 3; readonly value: number };
  readonly resultSlot?: number;
  readonly expect?: number;
  readonly ignore?: readonly number[];
}

export interface TinyPlan {
  readonly parent: readonly TinyStep[];
  readonly init?: readonly TinyStep[];
  readonly preset?: Readonly<Record<number, number>>;
  readonly recordFd?: number;
}

const cString = (text: string): Uint8Array => Buffer.from(`${text}\0`);

class Data {
  readonly parts: Uint8Array[] = [];
  readonly patches: { at: number; target: number }[] = [];
  end: number;

  constructor(begin: number) {
    this.end = begin;
  }

  add(bytes: Uint8Array): number {
    const at = this.end;
    const padded = new Uint8Array(Math.ceil((bytes.length + 1) / 8) * 8);
    padded.set(bytes);
    this.parts.push(padded);
    this.end += padded.length;
    return at;
  }
}

export function encodeTinyPlan(plan: TinyPlan): Uint8Array {
  const init = plan.init ?? [];
  const steps = [...plan.parent, ...init];
  const pointerCount = steps
    .flatMap((step) => step.arguments ?? [])
    .reduce<number>((sum, argument) => sum + countPointers(argument), 0);
  const initAt = HEADER + plan.parent.length * STEP;
  const patchesAt = HEADER + steps.length * STEP;
  const dataAt = patchesAt + pointerCount * 8;
  const data = new Data(dataAt);
  const head = Buffer.alloc(dataAt);
  steps.forEach((step, index) => writeStep(head.subarray(HEADER + index * STEP), step, data));
  data.patches.forEach(({ at, target }, index) => {
    head.writeUInt32LE(at, patchesAt + index * 8);
    head.writeUInt32LE(target, patchesAt + index * 8 + 4);
  });

  const words = [
    0x4e4c5045,
    1,
    data.end,
    plan.parent.length,
    HEADER,
    init.length,
    initAt,
    pointerCount,
    patchesAt,
    plan.recordFd ?? 4,
  ];
  words.forEach((word, index) => head.writeUInt32LE(word, index * 4));
  for (let slot = 0; slot < 32; slot++)
    head.writeBigInt64LE(BigInt(plan.preset?.[slot] ?? EMPTY), 40 + slot * 8);
  return Buffer.concat([head, ...data.parts]);
}

function isStruct(argument: TinyArgument): argument is TinyStruct {
  return typeof argument === 'object' && 'bytes' in argument;
}

function countPointers(argument: TinyArgument): number {
  if (!isStruct(argument)) return 0;
  return (argument.pointers ?? []).reduce((sum, pointer) => sum + 1 + countPointers(pointer.to), 0);
}

function writeStep(at: Buffer, step: TinyStep, data: Data): void {
  at[0] = step.writeFile ? 1 : step.copyTree ? 2 : 0;
  at[1] = step.forksInit ? 1 : 0;
  at[2] = step.guard?.kind ?? 0;
  at[3] = step.resultSlot ?? 0xff;
  at.writeInt32LE(step.guard?.value ?? 0, 4);
  if (step.call) at.writeInt32LE(numbers[step.call][process.arch === 'arm64' ? 1 : 0], 8);
  const slotPatches: { at: number; slot: number }[] = [];
  (step.arguments ?? []).forEach((argument, index) => {
    const [kind, value] = placeArgument(argument, data, slotPatches);
    at[20 + index] = kind;
    at.writeBigInt64LE(value, 32 + index * 8);
  });
  if (slotPatches.length > 0) {
    const table = Buffer.alloc(slotPatches.length * 8);
    slotPatches.forEach((patch, index) => {
      table.writeUInt32LE(patch.at, index * 8);
      table.writeUInt32LE(patch.slot, index * 8 + 4);
    });
    at.writeUInt32LE(data.add(table), 12);
    at.writeUInt32LE(slotPatches.length, 16);
  }
  if (step.writeFile) {
    const value = Buffer.from(step.writeFile.data);
    at.writeInt32LE(1, 8);
    at.writeBigInt64LE(BigInt(data.add(cString(step.writeFile.path))), 32);
    at.writeBigInt64LE(BigInt(data.add(value)), 40);
    at.writeBigInt64LE(BigInt(value.length), 48);
  }
  if (step.copyTree) {
    at.writeBigInt64LE(BigInt(step.copyTree.from), 32);
    at.writeBigInt64LE(BigInt(step.copyTree.to), 40);
  }
  at.writeBigInt64LE(step.expect === undefined ? EMPTY : BigInt(step.expect), 80);
  (step.ignore ?? []).forEach((errno, index) => at.writeInt32LE(errno, 88 + index * 4));
}

function placeArgument(
  argument: TinyArgument,
  data: Data,
  slotPatches: { at: number; slot: number }[],
): [kind: number, value: bigint] {
  if (typeof argument === 'number' || typeof argument === 'bigint') return [0, BigInt(argument)];
  if (typeof argument === 'string') return [2, BigInt(data.add(cString(argument)))];
  if (argument instanceof Uint8Array) return [2, BigInt(data.add(argument))];
  if ('slot' in argument) return [1, BigInt(argument.slot)];
  if ('fdPath' in argument) return [3, BigInt(argument.fdPath)];
  if ('pair' in argument) return [4, BigInt(argument.pair[0] | (argument.pair[1] << 8))];
  return [2, BigInt(placeStruct(argument, data, slotPatches))];
}

function placeStruct(
  struct: TinyStruct | Uint8Array,
  data: Data,
  slotPatches: { at: number; slot: number }[],
): number {
  if (struct instanceof Uint8Array) return data.add(struct);
  const begin = data.add(struct.bytes);
  for (const pointer of struct.pointers ?? [])
    data.patches.push({
      at: begin + pointer.at,
      target: placeStruct(pointer.to, data, slotPatches),
    });
  for (const patch of struct.slots ?? [])
    slotPatches.push({ at: begin + patch.at, slot: patch.slot });
  return begin;
}
