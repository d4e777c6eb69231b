/**
 * `runc start ID`: the created container runs its program. Upstream: runc start.go.
 */
import { resolve } from 'node:path';
import { startContainer } from '../libcontainer/start-container.ts';
import { parseId } from './command-line.ts';
import type { Verb } from './verb.ts';

export const start: Verb = async ({ native, tracer, global, rest }) => {
  const { id } = parseId('start', rest);
  await startContainer({ native, tracer, root: resolve(global.root), id });
};
