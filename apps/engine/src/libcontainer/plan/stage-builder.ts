/**
 * How the compiler writes steps: `stage.call('mount', [text('proc'), …], { title, … })`.
 * The arguments know how strace would print them, so each step's `detail` comes from what is really passed.
 */
import type {
  Argument,
  Blob,
  CopyTreeStep,
  Slot,
  Step,
  SyscallStep,
  WriteFileStep,
} from './step.ts';
import { syscallNumber, type NativeArchitecture } from './syscall-numbers.ts';
import { AT, flagNames } from './constants.ts';

/** An argument together with its reading. */
export interface ShownArgument {
  readonly argument: Argument;
  readonly shown: string;
}

/** A pointer to a NUL-terminated string. */
export const text = (value: string): ShownArgument => ({
  argument: { kind: 'bytes', data: cString(value) },
  shown: JSON.stringify(value.length > 120 ? `${value.slice(0, 120)}…` : value),
});

export const cString = (value: string): Blob => ({ bytes: Buffer.from(`${value}\0`) });

export const number = (value: number | bigint, shown = String(value)): ShownArgument => ({
  argument: { kind: 'number', value },
  shown,
});

/** Flags with their names. */
export const flags = (
  table: Readonly<Record<string, number>>,
  value: number | bigint,
): ShownArgument => number(value, flagNames(table, value));

/** Paths that begin with a slash need no folder to start from. */
export const AT_FDCWD: ShownArgument = number(AT.AT_FDCWD, 'AT_FDCWD');

export const NULL: ShownArgument = number(0, 'NULL');

/** What an earlier step left in a slot; strace would show the descriptor's number. */
export const slot = (name: Slot, shown = `<${name}>`): ShownArgument => ({
  argument: { kind: 'slot', slot: name },
  shown,
});

/** `/proc/self/fd/<n>`: the place that an earlier openat2 has found, for a call that takes a path. */
export const fdPath = (name: Slot, of: string = name): ShownArgument => ({
  argument: { kind: 'fdPath', slot: name },
  shown: `"/proc/self/fd/<${of}>"`,
});

export const slotPair = (first: Slot, second: Slot): ShownArgument => ({
  argument: { kind: 'slotPair', first, second },
  shown: `[<${first}>, <${second}>]`,
});

/** A pointer to a struct. */
export const struct = (data: Blob, shown: string): ShownArgument => ({
  argument: { kind: 'bytes', data },
  shown,
});

/** A NULL-terminated array of pointers to strings: argv, environ. */
export const stringVector = (strings: readonly string[], shown: string): ShownArgument =>
  struct(
    {
      bytes: new Uint8Array((strings.length + 1) * 8),
      patches: strings.map((value, index) => ({ offset: index * 8, pointerTo: cString(value) })),
    },
    shown,
  );

/** A struct's bytes: little-endian fields, one after the other. */
export const pack = (
  fields: readonly (readonly [size: 1 | 2 | 4 | 8, value: number | bigint])[],
): Uint8Array => {
  const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    else if (size === 4) view.setUint32(at, Number(BigInt.asUintN(32, BigInt(value))), true);
    else if (size === 2) view.setUint16(at, Number(value), true);
    else view.setUint8(at, Number(value));
    at += size;
  }
  return bytes;
};

type Words = Pick<SyscallStep, 'title' | 'object' | 'source' | 'reference'> &
  Partial<
    Pick<
      SyscallStep,
      | 'level'
      | 'attributes'
      | 'ignore'
      | 'guard'
      | 'resultSlot'
      | 'expect'
      | 'purpose'
      | 'forksInit'
    >
  >;

/** Collects the steps of one process. */
export class StageBuilder {
  readonly architecture: NativeArchitecture;
  readonly steps: Step[] = [];

  constructor(architecture: NativeArchitecture) {
    this.architecture = architecture;
  }

  call(name: string, shownArguments: readonly ShownArgument[], words: Words): void {
    const step: SyscallStep = {
      kind: 'syscall',
      name,
      number: syscallNumber(name, this.architecture),
      arguments: shownArguments.map(({ argument }) => argument),
      detail: `${name}(${shownArguments.map(({ shown }) => shown).join(', ')})`,
      level: 'detail',
      ...words,
    };
    this.steps.push(step);
  }

  /** open, write, close of one of the kernel's files. */
  writeFile(path: string, data: string, words: Words): void {
    const step: WriteFileStep = {
      kind: 'writeFile',
      name: 'write',
      path,
      data,
      detail: `write(${path}, ${JSON.stringify(data)})`,
      level: 'detail',
      ...words,
    };
    this.steps.push(step);
  }

  /** Each entry of one folder is made again in another one. */
  copyTree(from: Slot, to: Slot, words: Words): void {
    const step: CopyTreeStep = {
      kind: 'copyTree',
      name: 'getdents64',
      from,
      to,
      detail: `getdents64(<${from}>), and for each entry mkdirat, openat and sendfile, symlinkat or mknodat in <${to}>`,
      level: 'detail',
      ...words,
    };
    this.steps.push(step);
  }
}
