/**
 * `runc create [--bundle B] [--pid-file F] [--console-socket S] ID`: the caller's stdio becomes the container's.
 * Upstream: runc create.go, tty.go.
 */
import { parseId } from './command-line.ts';
import { textOf } from './flags.ts';
import { CREATE_OPTIONS, createFromFlags } from './launch.ts';
import { writePidFile } from './pid-file.ts';
import type { Verb } from './verb.ts';

export const create: Verb = async (invocation) => {
  const flags = parseId('create', invocation.rest, CREATE_OPTIONS);
  const { container } = await createFromFlags(invocation, flags, { detach: true });
  invocation.native.close(container.pidfd);
  writePidFile(textOf(flags, 'pid-file'), container.pid);
};
