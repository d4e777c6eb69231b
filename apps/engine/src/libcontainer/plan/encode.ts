/**
 * Plan → bytes for the helper. The layout is fixed in native/src/plan.h; offsets count from the beginning of the plan.
 *
 *   header | parent steps | init steps | pointer patches | data
 *
 * A create has hundreds of steps, and a shim encodes one in its life, without optimised code: so nothing here makes a list
 * or an iterator for each step.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { Argument, Blob, Plan, Slot, Step, SyscallStep, WriteFileStep } from './step.ts';

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

/** Where the data will stand; filled while the steps are written. */
class DataLayout {
  #end: number;
  readonly #blobs = new Map<Blob, number>();
  readonly #chunks: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  readonly pointerPatches: { readonly at: number; readonly target: number }[] = [];

  constructor(begin: number) {
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
    blob.patches?.forEach((patch) => {
      if (!('pointerTo' in patch)) return;
      this.pointerPatches.push({ at: at + patch.offset, target: this.place(patch.pointerTo) });
    });
    return at;
  }

  copyInto(plan: Uint8Array): void {
    this.#chunks.forEach(({ at, bytes }) => plan.set(bytes, at));
  }
}

/** Slots get numbers in the order of their first mention. */
class SlotNumbers {
  readonly #numbers = new Map<Slot, number>();

  of(slot: Slot): number {
    const known = this.#numbers.get(slot);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    if (number === SLOTS)
      throw new EngineError(
        'internal',
        `the plan needs at least ${SLOTS + 1} slots, and there are ${SLOTS}`,
      );
    this.#numbers.set(slot, number);
    return number;
  }
}

/** What the steps are written to, and what their bytes must know of the rest of the plan. */
interface Target {
  readonly view: DataView;
  readonly slots: SlotNumbers;
  readonly layout: DataLayout;
}

export const encodePlan = (plan: Plan): Uint8Array => {
  const { parent, init, preset } = plan;
  const parentOffset = HEADER_SIZE;
  const initOffset = parentOffset + parent.length * STEP_SIZE;
  const patchOffset = initOffset + init.length * STEP_SIZE;
  const pointerPatchCount = countPointers(parent, init);
  const dataOffset = patchOffset + pointerPatchCount * POINTER_PATCH_SIZE;

  const layout = new DataLayout(dataOffset);
  const slots = new SlotNumbers();
  const head = new Uint8Array(dataOffset);
  const view = new DataView(head.buffer);
  for (let slot = 0; slot < SLOTS; slot++) view.setBigInt64(40 + slot * 8, NOTHING, true);
  for (const [slot, value] of Object.entries(preset))
    setInt64(view, 40 + slots.of(slot) * 8, value);
  const target: Target = { view, slots, layout };
  parent.forEach((step, index) => writeStep(target, parentOffset + index * STEP_SIZE, step));
  init.forEach((step, index) => writeStep(target, initOffset + index * STEP_SIZE, step));
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
    parent.length,
    parentOffset,
    init.length,
    initOffset,
    pointerPatchCount,
    patchOffset,
    plan.recordFd ?? RECORD_FD,
  ];
  header.forEach((value, index) => view.setUint32(index * 4, value, true));

  const bytes = new Uint8Array(layout.end);
  bytes.set(head);
  layout.copyInto(bytes);
  return bytes;
};

/** One entry in the table for each pointer in each distinct blob: the data begins behind that table. */
const countPointers = (...stages: readonly (readonly Step[])[]): number => {
  const counted = new Set<Blob>();
  let count = 0;
  const visit = (blob: Blob): void => {
    if (!blob.patches || counted.has(blob)) return;
    counted.add(blob);
    blob.patches.forEach((patch) => {
      if (!('pointerTo' in patch)) return;
      count += 1;
      visit(patch.pointerTo);
    });
  };
  const look = (argument: Argument): void => {
    if (argument.kind === 'bytes') visit(argument.data);
  };
  for (const steps of stages)
    steps.forEach((step) => {
      if (step.kind === 'syscall') step.arguments.forEach(look);
    });
  return count;
};

const writeStep = (target: Target, at: number, step: Step): void => {
  const { view, slots } = target;
  const { guard, resultSlot, expect, ignore } = step;
  view.setUint8(at, KIND[step.kind]);
  view.setUint8(at + 3, resultSlot === undefined ? NO_SLOT : slots.of(resultSlot));
  if (guard) {
    view.setUint8(at + 2, GUARD_KIND[guard.kind]);
    view.setInt32(at + 4, 'slot' in guard ? slots.of(guard.slot) : guard.errno, true);
  }
  if (step.kind === 'syscall') writeCall(target, at, step);
  else if (step.kind === 'writeFile') writeFileArguments(target, at, step);
  else {
    setInt64(view, at + 32, slots.of(step.from));
    setInt64(view, at + 40, slots.of(step.to));
  }
  if (expect === undefined) view.setBigInt64(at + 80, NOTHING, true);
  else setInt64(view, at + 80, expect);
  if (!ignore) return;
  if (ignore.length > IGNORES)
    throw new EngineError('internal', `${step.name} ignores too many errors`);
  ignore.forEach((errno, index) => view.setInt32(at + 88 + index * 4, errno, true));
};

const writeCall = (target: Target, at: number, step: SyscallStep): void => {
  const { view } = target;
  if (step.arguments.length > ARGUMENTS)
    throw new EngineError('internal', `${step.name} has too many arguments`);
  if (step.forksInit) view.setUint8(at + 1, FORKS_INIT);
  view.setInt32(at + 8, step.number, true);
  let isPatched = false;
  step.arguments.forEach((argument, index) => {
    view.setUint8(at + 20 + index, ARGUMENT_KIND[argument.kind]);
    setInt64(view, at + 32 + index * 8, argumentValue(argument, target));
    if (argument.kind === 'bytes' && argument.data.patches) isPatched = true;
  });
  if (isPatched) writeSlotPatches(target, at, step);
};

const argumentValue = (argument: Argument, { slots, layout }: Target): number | bigint => {
  switch (argument.kind) {
    case 'number':
      return argument.value;
    case 'slot':
    case 'fdPath':
      return slots.of(argument.slot);
    case 'bytes':
      return layout.place(argument.data);
    case 'slotPair':
      return slots.of(argument.first) | (slots.of(argument.second) << 8);
  }
};

/** Most numbers are small ones, and a bigint is an object on the heap. */
const setInt64 = (view: DataView, at: number, value: number | bigint): void => {
  if (typeof value === 'bigint') return view.setBigInt64(at, BigInt.asIntN(64, value), true);
  view.setInt32(at, value, true);
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
};

/** The values that the helper copies into the step's bytes just before it makes the call. */
const writeSlotPatches = ({ view, slots, layout }: Target, at: number, step: SyscallStep): void => {
  const patches: { readonly at: number; readonly slot: number }[] = [];
  const seen = new Set<Blob>();
  const visit = (blob: Blob): void => {
    if (seen.has(blob)) return;
    seen.add(blob);
    for (const patch of blob.patches ?? []) {
      if ('pointerTo' in patch) visit(patch.pointerTo);
      else patches.push({ at: layout.place(blob) + patch.offset, slot: slots.of(patch.slot) });
    }
  };
  for (const argument of step.arguments) if (argument.kind === 'bytes') visit(argument.data);
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

const writeFileArguments = ({ view, layout }: Target, at: number, step: WriteFileStep): void => {
  const data = Buffer.from(step.data);
  view.setInt32(at + 8, O_WRONLY, true);
  setInt64(view, at + 32, layout.add(Buffer.from(`${step.path}\0`)));
  setInt64(view, at + 40, layout.add(data));
  setInt64(view, at + 48, data.length);
};
