/**
 * `runc state ID`: what OCI runtime.md#state asks for, and a little more as upstream prints it. Upstream: runc state.go.
 */
import { resolve } from 'node:path';
import { readState } from '../libcontainer/state-file.ts';
import type { State } from '../protocol/oci/state.ts';
import { parseId } from './command-line.ts';
import type { Verb } from './verb.ts';

export const state: Verb = async ({ global, rest }) => {
  const found = readState(resolve(global.root), parseId('state', rest).id);
  const { ociVersion, id, status, bundle, rootfs, created, annotations } = found;
  const shown: State = {
    ociVersion,
    id,
    pid: status === 'stopped' ? 0 : found.pid,
    status,
    bundle,
    rootfs,
    created,
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    owner: '',
  };
  process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
};
