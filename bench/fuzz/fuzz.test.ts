/**
 * A bounded sample of what `bench/fuzz.mjs` feeds as much of as you like. The seed is always the same, and a failure
 * names it; other inputs: FUZZ_SEED=7 npx vitest run --project unit bench/fuzz
 */
import { expect, test } from 'vitest';
import { TARGETS } from './targets.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_125);
const INPUTS = 2000;

test.each(TARGETS.map((target) => [target.name, target] as const))('%s', async (_name, target) => {
  let digested = 0;
  const inputs = Math.max(20, Math.ceil((INPUTS * target.perThousand) / 1000));
  await target.run({ inputs, seed: SEED, onInput: () => (digested += 1) });

  expect(digested).toBeGreaterThanOrEqual(inputs);
});
