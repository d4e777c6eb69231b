/**
 * What every verb gets.
 */
import type { Native } from '../../../../native/native.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { GlobalOptions } from './command-line.ts';

export interface Invocation {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly global: GlobalOptions;
  /** The words behind the verb. */
  readonly rest: readonly string[];
}

/** A number is the exit code, where it is not 0. */
export type Verb = (invocation: Invocation) => Promise<number | void>;
