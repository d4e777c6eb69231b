/**
 * `runc delete [--force] ID`: cgroups and state go. Upstream: runc delete.go.
 */
import { resolve } from 'node:path';
import { deleteContainer } from '../libcontainer/delete-container.ts';
import { parseId } from './command-line.ts';
import { isSet } from './flags.ts';
import { logError } from './log.ts';
import type { Verb } from './verb.ts';

export const remove: Verb = async ({ native, tracer, global, rest }) => {
  const flags = parseId('delete', rest, { force: { type: 'boolean', short: 'f' } });
  await deleteContainer({
    native,
    tracer,
    root: resolve(global.root),
    id: flags.id,
    force: isSet(flags, 'force'),
    onWarning: (message) => logError(message, global),
  });
};
