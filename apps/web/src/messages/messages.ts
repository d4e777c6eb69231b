import type { en } from './en.ts';

/** The shape of a catalogue: the same keys, the same parameters, other words. */
export type Translated<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...given: infer Given) => string
      ? (...given: Given) => string
      : Translated<T[K]>;
};
export type Messages = Translated<typeof en>;
