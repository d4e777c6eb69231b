/**
 * Plan → bytes for the helper. The layout is fixed in native/src/plan.h; offsets count from the beginning of the plan.
 *
 *   header | parent steps | init steps | pointer patches | data
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { Argument, Blob, Plan, Slot, Step, WriteFileStep } from './step.ts';

const MAGIC = 0x4e4c5045;
const VERSION = 1;
const HEADER_SIZE = 296;
const STEP_SIZE = 104;
const POINTER_PATCH_SIZE = 8;
const SLOT_PATCH_SIZE = 8;
const SLOTS = 32;
const ARGUMENTS = 6;
const IGNORES = 4;
const NO_SLOT = 0xff;
/** INT64_MIN stands for "empty slot" and for "no expectation". */
const NOTHING = -(2n ** 63n);
const FORKS_INIT = 1;
/** Where the spawner puts the record pipe. */
const RECORD_FD = 4;

const KIND = { syscall: 0, writeFile: 1, copyTree: 2 } as const;
const ARGUMENT_KIND = { number: 0, slot: 1, bytes: 2, fdPath: 3, slotPair: 4 } as const;
const GUARD_KIND = { unlessFilled: 1, ifFilled: 2, ifPreviousFailedWith: 3 } as const;

/** open(2) flags of a writeFile step; the helper adds O_CLOEXEC. */
const O_WRONLY = 1;

/** Where everything will stand; filled while walking the steps, before a single byte is written. */
class DataLayout {
  readonly #begin: number;
  #end: number;
  readonly #blobs = new Map<Blob, number>();
  readonly #chunks: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  readonly pointerPatches: { readonly at: number; readonly target: number }[] = [];

  constructor(begin: number) {
    this.#begin = begin;
    this.#end = begin;
  }

  get end(): number {
    return this.#end;
  }

  add(bytes: Uint8Array): number {
    const at = this.#end;
    this.#chunks.push({ at, bytes });
    // Eight bytes apart, so that structs in the data are aligned.
    this.#end = (at + Math.max(bytes.length, 1) + 7) & ~7;
    return at;
  }

  /** The offset of the blob and of all that it points to. */
  place(blob: Blob): number {
    const known = this.#blobs.get(blob);
    if (known !== undefined) return known;
    const at = this.add(blob.bytes);
    this.#blobs.set(blob, at);
    for (const patch of blob.patches ?? []) {
      if ('pointerTo' in patch) {
        this.pointerPatches.push({ at: at + patch.offset, target: this.place(patch.pointerTo) });
      }
    }
    return at;
  }

  copyInto(plan: Uint8Array, shift: number): void {
    for (const { at, bytes } of this.#chunks) plan.set(bytes, at - this.#begin + shift);
  }
}

/** Where a step is written to, and what its bytes must know of the rest of the plan. */
interface Target {
  readonly view: DataView;
  readonly slots: ReadonlyMap<Slot, number>;
  readonly layout: DataLayout;
}

/** A step with the blobs that it reaches, each once. */
interface Reaching {
  readonly step: Step;
  readonly blobs: readonly Blob[];
}

const NO_BLOBS: readonly Blob[] = [];

const blobsOf = (step: Step): readonly Blob[] => {
  if (step.kind !== 'syscall') return NO_BLOBS;
  const seen: Blob[] = [];
  const visit = (blob: Blob): void => {
    if (seen.includes(blob)) return;
    seen.push(blob);
    for (const patch of blob.patches ?? []) if ('pointerTo' in patch) visit(patch.pointerTo);
  };
  for (const argument of step.arguments) if (argument.kind === 'bytes') visit(argument.data);
  return seen;
};

export const encodePlan = (plan: Plan): Uint8Array => {
  const steps = [...plan.parent, ...plan.init].map((step) => ({ step, blobs: blobsOf(step) }));
  const slots = numberSlots(plan.preset, steps);
  const parentOffset = HEADER_SIZE;
  const initOffset = parentOffset + plan.parent.length * STEP_SIZE;
  const patchOffset = initOffset + plan.init.length * STEP_SIZE;

  const pointerPatchCount = countPointerPatches(steps);
  const dataOffset = patchOffset + pointerPatchCount * POINTER_PATCH_SIZE;
  const layout = new DataLayout(dataOffset);

  const head = new Uint8Array(dataOffset);
  const view = new DataView(head.buffer);
  steps.forEach((reaching, index) => {
    writeStep({ view, slots, layout }, parentOffset + index * STEP_SIZE, reaching);
  });
  layout.pointerPatches.forEach(({ at, target }, index) => {
    view.setUint32(patchOffset + index * POINTER_PATCH_SIZE, at, true);
    view.setUint32(patchOffset + index * POINTER_PATCH_SIZE + 4, target, true);
  });
  if (layout.pointerPatches.length !== pointerPatchCount) {
    throw new EngineError('internal', 'the plan has another number of pointers than was counted');
  }

  const header = [
    MAGIC,
    VERSION,
    layout.end,
    plan.parent.length,
    parentOffset,
    plan.init.length,
    initOffset,
    pointerPatchCount,
    patchOffset,
    plan.recordFd ?? RECORD_FD,
  ];
  header.forEach((value, index) => view.setUint32(index * 4, value, true));
  for (let slot = 0; slot < SLOTS; slot++) view.setBigInt64(40 + slot * 8, NOTHING, true);
  for (const [slot, value] of Object.entries(plan.preset)) {
    view.setBigInt64(40 + slotNumber(slots, slot) * 8, BigInt(value), true);
  }

  const bytes = new Uint8Array(layout.end);
  bytes.set(head);
  layout.copyInto(bytes, dataOffset);
  return bytes;
};

/** One entry in the table for each pointer in each distinct blob. */
const countPointerPatches = (steps: readonly Reaching[]): number => {
  const counted = new Set<Blob>();
  let count = 0;
  for (const blob of steps.flatMap(({ blobs }) => blobs)) {
    if (!blob.patches || counted.has(blob)) continue;
    counted.add(blob);
    count += blob.patches.filter((patch) => 'pointerTo' in patch).length;
  }
  return count;
};

/** Slots get numbers in the order of their first mention; those of a pair only need to be two. */
const numberSlots = (
  preset: Plan['preset'],
  steps: readonly Reaching[],
): ReadonlyMap<Slot, number> => {
  const slots = new Map<Slot, number>();
  const mention = (slot: Slot | undefined): void => {
    if (slot !== undefined && !slots.has(slot)) slots.set(slot, slots.size);
  };
  Object.keys(preset).forEach(mention);
  for (const { step, blobs } of steps) {
    if (step.guard && 'slot' in step.guard) mention(step.guard.slot);
    mention(step.resultSlot);
    if (step.kind === 'copyTree') [step.from, step.to].forEach(mention);
    if (step.kind !== 'syscall') continue;
    for (const argument of step.arguments) {
      if (argument.kind === 'slot' || argument.kind === 'fdPath') mention(argument.slot);
      if (argument.kind === 'slotPair') [argument.first, argument.second].forEach(mention);
    }
    for (const blob of blobs) {
      for (const patch of blob.patches ?? []) if ('slot' in patch) mention(patch.slot);
    }
  }
  if (slots.size > SLOTS)
    throw new EngineError('internal', `the plan needs ${slots.size} slots, and there are ${SLOTS}`);
  return slots;
};

const slotNumber = (slots: ReadonlyMap<Slot, number>, slot: Slot): number => {
  const number = slots.get(slot);
  if (number === undefined) throw new EngineError('internal', `the plan has no slot ${slot}`);
  return number;
};

const writeStep = (target: Target, at: number, { step, blobs }: Reaching): void => {
  const { view, slots, layout } = target;
  view.setUint8(at, KIND[step.kind]);
  view.setUint8(at + 1, step.kind === 'syscall' && step.forksInit ? FORKS_INIT : 0);
  view.setUint8(at + 2, step.guard ? GUARD_KIND[step.guard.kind] : 0);
  view.setUint8(
    at + 3,
    step.resultSlot === undefined ? NO_SLOT : slotNumber(slots, step.resultSlot),
  );
  if (step.guard) {
    const value = 'slot' in step.guard ? slotNumber(slots, step.guard.slot) : step.guard.errno;
    view.setInt32(at + 4, value, true);
  }
  view.setInt32(at + 8, step.kind === 'syscall' ? step.number : O_WRONLY, true);

  if (step.kind === 'syscall') {
    if (step.arguments.length > ARGUMENTS)
      throw new EngineError('internal', `${step.name} has too many arguments`);
    step.arguments.forEach((argument, index) => {
      view.setUint8(at + 20 + index, ARGUMENT_KIND[argument.kind]);
      setInt64(view, at + 32 + index * 8, argumentValue(argument, slots, layout));
    });
    writeSlotPatches(target, at, blobs);
  } else if (step.kind === 'copyTree') {
    setInt64(view, at + 32, slotNumber(slots, step.from));
    setInt64(view, at + 40, slotNumber(slots, step.to));
  } else {
    writeFileArguments(view, at, step, layout);
  }

  setInt64(view, at + 80, step.expect ?? NOTHING);
  const ignore = step.ignore ?? [];
  if (ignore.length > IGNORES)
    throw new EngineError('internal', `${step.name} ignores too many errors`);
  ignore.forEach((errno, index) => view.setInt32(at + 88 + index * 4, errno, true));
};

const argumentValue = (
  argument: Argument,
  slots: ReadonlyMap<Slot, number>,
  layout: DataLayout,
): number | bigint => {
  switch (argument.kind) {
    case 'number':
      return argument.value;
    case 'slot':
    case 'fdPath':
      return slotNumber(slots, argument.slot);
    case 'bytes':
      return layout.place(argument.data);
    case 'slotPair':
      return slotNumber(slots, argument.first) | (slotNumber(slots, argument.second) << 8);
  }
};

/** Most numbers are small ones, and a bigint is an object on the heap. */
const setInt64 = (view: DataView, at: number, value: number | bigint): void => {
  if (typeof value === 'bigint') return view.setBigInt64(at, BigInt.asIntN(64, value), true);
  view.setInt32(at, value, true);
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
};

/** The values that the helper copies into the step's bytes just before it makes the call. */
const writeSlotPatches = (
  { view, slots, layout }: Target,
  at: number,
  blobs: readonly Blob[],
): void => {
  const patches = blobs.flatMap((blob) =>
    (blob.patches ?? []).flatMap((patch) =>
      'slot' in patch
        ? [{ at: layout.place(blob) + patch.offset, slot: slotNumber(slots, patch.slot) }]
        : [],
    ),
  );
  if (patches.length === 0) return;
  const table = new Uint8Array(patches.length * SLOT_PATCH_SIZE);
  const tableView = new DataView(table.buffer);
  patches.forEach((patch, index) => {
    tableView.setUint32(index * SLOT_PATCH_SIZE, patch.at, true);
    tableView.setUint32(index * SLOT_PATCH_SIZE + 4, patch.slot, true);
  });
  view.setUint32(at + 12, layout.add(table), true);
  view.setUint32(at + 16, patches.length, true);
};

const writeFileArguments = (
  view: DataView,
  at: number,
  step: WriteFileStep,
  layout: DataLayout,
): void => {
  const data = Buffer.from(step.data);
  setInt64(view, at + 32, layout.add(Buffer.from(`${step.path}\0`)));
  setInt64(view, at + 40, layout.add(data));
  setInt64(view, at + 48, data.length);
};
