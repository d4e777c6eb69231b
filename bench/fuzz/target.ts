/**
 * One thing that takes input from somebody we do not trust, and what is fed to it.
 *
 * A target passes when each input is digested or refused (an `EngineError`), quickly, and within its memory.
 * Whatever else is thrown is a crash. `fuzz.test.ts` feeds a bounded sample, `bench/fuzz.mjs` as many as you like.
 */
import fc from 'fast-check';
import { EngineError } from '../../apps/engine/src/protocol/errdefs.ts';

export interface Feeder<Input> {
  readonly feed: (input: Input) => void | Promise<void>;
  /** Asked at the end: does it still serve those who behave? */
  readonly stillServes?: () => Promise<void>;
  readonly close?: () => void | Promise<void>;
}

export interface Run {
  readonly inputs: number;
  readonly seed: number;
  readonly onInput?: () => void;
}

export interface Target {
  readonly name: string;
  /** How many inputs it takes in the time in which a decoder in memory takes a thousand. */
  readonly perThousand: number;
  /** Rejects with the smallest input that fails, and the seed. */
  readonly run: (run: Run) => Promise<void>;
}

/** Wall time: generous, because the machine may be busy with something else. */
const SLOW_MS = 10_000;

export const target = <Input>(
  name: string,
  options: {
    readonly inputs: fc.Arbitrary<Input>;
    readonly open: () => Feeder<Input> | Promise<Feeder<Input>>;
    readonly perThousand?: number;
  },
): Target => ({
  name,
  perThousand: options.perThousand ?? 1000,
  run: async ({ inputs, seed, onInput }) => {
    const { feed, stillServes, close } = await options.open();
    const digest = async (input: Input): Promise<void> => {
      const begin = performance.now();
      try {
        await feed(input);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
      }
      const tookMs = performance.now() - begin;
      if (tookMs > SLOW_MS) throw new Error(`took ${Math.round(tookMs)} ms`);
      onInput?.();
    };
    try {
      await fc.assert(fc.asyncProperty(options.inputs, digest), {
        numRuns: inputs,
        seed,
        // Shrinking a hang takes longer than the hang.
        interruptAfterTimeLimit: 30 * 60_000,
        markInterruptAsFailure: false,
      });
      await stillServes?.();
    } finally {
      await close?.();
    }
  },
});
