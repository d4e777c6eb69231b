/** A living task: a bundle, the shim that keeps it, and the line to that shim. */
import type { SpanContext } from '../../tracing/context.ts';
import type { Bundle } from './bundle.ts';
import type { ShimBinary } from './shim-binary.ts';
import type { TaskClient } from './task-client.ts';

export interface Task {
  readonly bundle: Bundle;
  /** The command that cleans up after the shim. */
  readonly binary: ShimBinary;
  readonly client: TaskClient;
  /** The trace that made it: what happens long after (its exit, its shim's death) belongs there. */
  readonly context: SpanContext | undefined;
  readonly stopLog: () => void;
}

export const taskKey = (namespace: string, id: string): string => `${namespace}/${id}`;
export const keyOf = ({ bundle }: Task): string => taskKey(bundle.namespace, bundle.id);
