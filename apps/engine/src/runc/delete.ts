/**
 * `runc delete [--force] ID`: cgroups and state go. Upstream: runc delete.go.
 */
import { resolve } from 'node:path';
import { deleteContainer } from '../libcontainer/delete-container.ts';
import { parseVerb } from './command-line.ts';
import type { Verb } from './verb.ts';

export const remove: Verb = async ({ native, tracer, global, rest }) => {
  const { values, positionals } = parseVerb(
    'delete',
    rest,
    { force: { type: 'boolean', short: 'f' } },
    { required: ['container-id'] },
  );
  await deleteContainer({
    native,
    tracer,
    root: resolve(global.root),
    id: positionals[0] ?? '',
    force: values['force'] === true,
  });
};
