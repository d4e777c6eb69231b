/** Bytes that are not a plan: the helper says so, and never crashes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPlan } from './run-plan.ts';
import { encodeTinyPlan, type TinyPlan } from './tiny-plan.ts';

const NOT_A_PLAN = 2;
const STEP_AT = 296;

/** One step of each kind, with each kind of argument, guard and patch. */
const rich: TinyPlan = {
  parent: [
    { call: 'openat', arguments: [-100, '/absent', 0, 0], ignore: [2, 13], resultSlot: 3 },
    { call: 'pipe2', arguments: [{ pair: [0, 1] }, 0], guard: { kind: 1, value: 3 } },
    { call: 'readlinkat', arguments: [-100, { fdPath: 0 }, new Uint8Array(64), 64], ignore: [22] },
    { writeFile: { path: '/dev/null', data: 'value' }, guard: { kind: 3, value: 22 } },
    {
      call: 'sendmsg',
      arguments: [
        { slot: 1 },
        {
          bytes: new Uint8Array(56),
          pointers: [{ at: 16, to: { bytes: new Uint8Array(16), slots: [{ at: 4, slot: 0 }] } }],
        },
        0,
      ],
      ignore: [88],
    },
    { copyTree: { from: 0, to: 1 }, ignore: [9, 20] },
    { call: 'clone3', arguments: [new Uint8Array(88), 88], forksInit: true, ignore: [22] },
  ],
  init: [{ call: 'getpid', expect: 1, guard: { kind: 2, value: 0 } }],
  preset: { 5: 0 },
};

function changed(change: (plan: DataView) => void): Uint8Array {
  const plan = encodeTinyPlan({ parent: [{ call: 'getpid' }], init: [{ call: 'getpid' }] });
  change(new DataView(plan.buffer, plan.byteOffset, plan.byteLength));
  return plan;
}

test.each([
  ['one byte', new Uint8Array(1)],
  ['a page of zeros', new Uint8Array(4096)],
  ['a header and no steps', encodeTinyPlan({ parent: [{ call: 'getpid' }] }).subarray(0, STEP_AT)],
  ['another magic', changed((plan) => plan.setUint32(0, 0x464c457f, true))],
  ['another version', changed((plan) => plan.setUint32(4, 2, true))],
  ['a size that is not its own', changed((plan) => plan.setUint32(8, plan.byteLength + 8, true))],
  ['more steps than bytes', changed((plan) => plan.setUint32(12, 0xffff_ffff, true))],
  ['steps behind the end', changed((plan) => plan.setUint32(16, 0xffff_fff8, true))],
  ['steps in the header', changed((plan) => plan.setUint32(16, 8, true))],
  ['steps at an odd offset', changed((plan) => plan.setUint32(16, STEP_AT + 1, true))],
  ['more patches than bytes', changed((plan) => plan.setUint32(28, 0x2000_0000, true))],
  ['an unknown kind of step', changed((plan) => plan.setUint8(STEP_AT, 3))],
  [
    'a copy into slot 32',
    changed((plan) => (plan.setUint8(STEP_AT, 2), plan.setBigInt64(STEP_AT + 40, 32n, true))),
  ],
  ['an unknown flag', changed((plan) => plan.setUint8(STEP_AT + 1, 2))],
  ['an unknown guard', changed((plan) => plan.setUint8(STEP_AT + 2, 4))],
  ['a result for slot 32', changed((plan) => plan.setUint8(STEP_AT + 3, 32))],
  [
    'a guard over slot -1',
    changed((plan) => (plan.setUint8(STEP_AT + 2, 1), plan.setInt32(STEP_AT + 4, -1, true))),
  ],
  ['records on standard error', changed((plan) => plan.setUint32(36, 2, true))],
  ['records where the plan is', changed((plan) => plan.setUint32(36, 3, true))],
  ['records beyond every descriptor', changed((plan) => plan.setUint32(36, 0x7fff_ffff, true))],
  ['an unknown kind of argument', changed((plan) => plan.setUint8(STEP_AT + 20, 5))],
  [
    'an argument from slot 32',
    changed((plan) => (plan.setUint8(STEP_AT + 20, 1), plan.setBigInt64(STEP_AT + 32, 32n, true))),
  ],
  [
    'a pointer behind the end',
    changed(
      (plan) => (plan.setUint8(STEP_AT + 20, 2), plan.setBigInt64(STEP_AT + 32, 1n << 40n, true)),
    ),
  ],
  [
    'a pointer into the steps',
    changed(
      (plan) => (
        plan.setUint8(STEP_AT + 20, 2),
        plan.setBigInt64(STEP_AT + 32, BigInt(STEP_AT), true)
      ),
    ),
  ],
  [
    'a path without an end',
    changed(
      (plan) => (
        plan.setUint8(STEP_AT, 1),
        plan.setBigInt64(STEP_AT + 32, BigInt(plan.byteLength), true)
      ),
    ),
  ],
  ['slot patches behind the end', changed((plan) => plan.setUint32(STEP_AT + 16, 1, true))],
  [
    'a second fork',
    encodeTinyPlan({
      parent: [
        { call: 'getpid', forksInit: true },
        { call: 'getpid', forksInit: true },
      ],
    }),
  ],
  ['a fork in init', encodeTinyPlan({ parent: [], init: [{ call: 'getpid', forksInit: true }] })],
])('%s is not a plan: nothing runs', async (_name, plan) => {
  const { exit, records } = await runPlan(plan);

  expect(exit).toMatchObject({ code: NOT_A_PLAN, signal: 0 });
  expect(records).toEqual([]);
});

test('a plan cut at any place is not a plan', async () => {
  const plan = encodeTinyPlan(rich);

  for (let size = 1; size < plan.length; size += 37) {
    const { exit } = await runPlan(plan.subarray(0, size));
    expect(exit).toMatchObject({ code: NOT_A_PLAN, signal: 0 });
  }
});

describe('under the sanitizers', () => {
  test('200 000 mutants of a plan, against a kernel of random answers, touch no byte that is not theirs', () => {
    const folder = mkdtempSync(join(tmpdir(), 'engine-room-fuzz-'));
    try {
      const program = join(folder, 'fuzz');
      const sources = [
        'test/fuzz.c',
        'src/helper/execute.c',
        'src/helper/copy_tree.c',
        'src/helper/plan_check.c',
      ];
      const flags =
        '-std=gnu17 -D_GNU_SOURCE -O1 -g -DENGINE_ROOM_FAKE_SYSTEM_CALLS -fsanitize=address,undefined -fno-sanitize-recover=all -Wl,--wrap=copy_tree';
      execFileSync('cc', [
        ...flags.split(' '),
        ...sources.map((source) => join(import.meta.dirname, '..', source)),
        '-o',
        program,
      ]);

      const valid = Number(
        execFileSync(program, ['1', '200000'], { input: encodeTinyPlan(rich) }).toString(),
      );

      // Enough mutants got past the check for the interpreter to be tried, and enough did not.
      expect(valid).toBeGreaterThan(10_000);
      expect(valid).toBeLessThan(190_000);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
