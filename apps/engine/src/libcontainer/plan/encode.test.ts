/** The bytes against native/src/plan.h, read back field by field. */
import { expect, test } from 'vitest';
import { encodePlan } from './encode.ts';
import { RecordParser } from './records.ts';
import {
  cString,
  fdPath,
  NULL,
  number,
  pack,
  slot,
  slotPair,
  StageBuilder,
  struct,
  text,
} from './stage-builder.ts';
import type { Plan } from './step.ts';

const words = { title: 't', object: 'process', source: 'here', reference: 'man:x(2)' } as const;
const HEADER = 296;
const STEP = 104;
const EMPTY = -(2n ** 63n);

const planOf = (
  write: (stage: StageBuilder) => void,
  preset: Plan['preset'] = {},
): { readonly view: DataView; readonly bytes: Uint8Array } => {
  const stage = new StageBuilder('x64');
  write(stage);
  const bytes = encodePlan({ parent: stage.steps, init: [], preset });
  return { view: new DataView(bytes.buffer), bytes };
};

const stringAt = (bytes: Uint8Array, at: number | bigint): string => {
  const begin = Number(at);
  return new TextDecoder().decode(bytes.subarray(begin, bytes.indexOf(0, begin)));
};

test('the header names sizes, counts and preset slots', () => {
  const { view, bytes } = planOf((stage) => stage.call('close', [slot('socket')], words), {
    socket: 5,
  });

  expect(view.getUint32(0, true)).toBe(0x4e4c5045);
  expect(view.getUint32(4, true)).toBe(1);
  expect(view.getUint32(8, true)).toBe(bytes.length);
  expect([12, 16, 20].map((at) => view.getUint32(at, true))).toEqual([1, HEADER, 0]);
  expect(view.getBigInt64(40, true)).toBe(5n);
  expect(view.getBigInt64(48, true)).toBe(EMPTY);
});

test('a call carries its number, its arguments by kind, and what it expects and ignores', () => {
  const { view, bytes } = planOf((stage) => {
    stage.call(
      'mount',
      [text('proc'), fdPath('target'), NULL, number(14), slot('other'), number(-100)],
      {
        ...words,
        ignore: [2, 17],
        expect: 1,
        resultSlot: 'result',
        guard: { kind: 'ifPreviousFailedWith', errno: 20 },
      },
    );
  });

  expect(view.getUint8(HEADER)).toBe(0);
  expect(view.getUint8(HEADER + 2)).toBe(3);
  expect(view.getUint8(HEADER + 3)).toBe(0);
  expect(view.getInt32(HEADER + 4, true)).toBe(20);
  expect(view.getInt32(HEADER + 8, true)).toBe(165);
  expect([...bytes.subarray(HEADER + 20, HEADER + 26)]).toEqual([2, 3, 0, 0, 1, 0]);
  expect(stringAt(bytes, view.getBigInt64(HEADER + 32, true))).toBe('proc');
  expect(view.getBigInt64(HEADER + 32 + 40, true)).toBe(-100n);
  expect(view.getBigInt64(HEADER + 80, true)).toBe(1n);
  expect([0, 4, 8].map((at) => view.getInt32(HEADER + 88 + at, true))).toEqual([2, 17, 0]);
});

test('a step without wishes says so', () => {
  const { view } = planOf((stage) => stage.call('setsid', [], words));

  expect(view.getUint8(HEADER + 3)).toBe(0xff);
  expect(view.getBigInt64(HEADER + 80, true)).toBe(EMPTY);
});

test('a file to write has path, data and length', () => {
  const { view, bytes } = planOf((stage) =>
    stage.writeFile('/sys/fs/cgroup/x/pids.max', '42', words),
  );

  expect(view.getUint8(HEADER)).toBe(1);
  expect(view.getInt32(HEADER + 8, true)).toBe(1);
  expect(stringAt(bytes, view.getBigInt64(HEADER + 32, true))).toBe('/sys/fs/cgroup/x/pids.max');
  expect(stringAt(bytes, view.getBigInt64(HEADER + 40, true))).toBe('42');
  expect(view.getBigInt64(HEADER + 48, true)).toBe(2n);
});

test('a struct in a struct is found by a pointer patch, a slot by a patch of the step', () => {
  const inner = cString('inner');
  const outer = {
    bytes: pack([
      [8, 0],
      [4, 0],
      [4, 7],
    ]),
    patches: [
      { offset: 0, pointerTo: inner },
      { offset: 8, slot: 'fd' },
    ],
  };
  const { view, bytes } = planOf((stage) => stage.call('sendmsg', [struct(outer, '{}')], words), {
    fd: 9,
  });

  expect(view.getUint32(28, true)).toBe(1);
  const table = view.getUint32(32, true);
  const at = view.getUint32(table, true);
  expect(BigInt(at)).toBe(view.getBigInt64(HEADER + 32, true));
  expect(stringAt(bytes, view.getUint32(table + 4, true))).toBe('inner');
  expect(view.getUint32(HEADER + 16, true)).toBe(1);
  const slots = view.getUint32(HEADER + 12, true);
  expect([view.getUint32(slots, true), view.getUint32(slots + 4, true)]).toEqual([at + 8, 0]);
  expect(view.getUint32(at + 12, true)).toBe(7);
});

test('a blob that several steps use stands in the plan once', () => {
  const blob = {
    bytes: new Uint8Array(64).fill(1),
    patches: [{ offset: 0, pointerTo: cString('x') }],
  };
  const { view } = planOf((stage) => {
    for (let i = 0; i < 3; i++) stage.call('execve', [struct(blob, '')], words);
  });

  expect(
    new Set([0, 1, 2].map((index) => view.getBigInt64(HEADER + index * STEP + 32, true))).size,
  ).toBe(1);
  expect(view.getUint32(28, true)).toBe(1);
});

test('a pair names both slots', () => {
  const { view } = planOf((stage) =>
    stage.call('pipe2', [slotPair('read', 'write'), number(0)], words),
  );

  expect(view.getBigInt64(HEADER + 32, true)).toBe(BigInt(0 | (1 << 8)));
});

test('more slots than the helper has are refused', () => {
  expect(() =>
    planOf((stage) => {
      for (let i = 0; i < 33; i++)
        stage.call('dup', [number(0)], { ...words, resultSlot: `slot ${i}` });
    }),
  ).toThrow('33 slots');
});

test('records are read whole, however the pipe cuts them', () => {
  const record = (index: number): Uint8Array =>
    pack([
      [4, 1],
      [4, index],
      [8, 1000n],
      [8, 2000n],
      [8, -1n],
      [4, 2],
      [4, 77],
      [8, 0],
    ]);
  const stream = new Uint8Array([...record(0), ...record(1), ...record(2)]);
  const parser = new RecordParser();

  const parsed = [stream.subarray(0, 50), stream.subarray(50, 51), stream.subarray(51)].flatMap(
    (chunk) => parser.push(chunk),
  );

  expect(parsed.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(parsed[2]).toEqual({
    stage: 'init',
    index: 2,
    beginMono: 1000n,
    endMono: 2000n,
    result: -1n,
    errno: 2,
    pid: 77,
  });
});
