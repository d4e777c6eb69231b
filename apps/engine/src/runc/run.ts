/**
 * `runc run [--detach] [--keep] ID`: create, start, wait, delete in one; the exit code is the program's.
 * Upstream: runc run.go, signals.go, tty.go.
 */
import { resolve } from 'node:path';
import type { CreatedContainer } from '../libcontainer/create-container.ts';
import { deleteContainer } from '../libcontainer/delete-container.ts';
import { startContainer } from '../libcontainer/start-container.ts';
import { parseId } from './command-line.ts';
import { isSet, type Options, textOf } from './flags.ts';
import { foreground } from './foreground.ts';
import { asVerb, CREATE_OPTIONS, createFromFlags } from './launch.ts';
import { logError } from './log.ts';
import { writePidFile } from './pid-file.ts';
import type { Invocation, Verb } from './verb.ts';

const OPTIONS = {
  ...CREATE_OPTIONS,
  detach: { type: 'boolean', short: 'd' },
  keep: { type: 'boolean' },
  'no-subreaper': { type: 'boolean' },
} as const satisfies Options;

export const run: Verb = async (invocation) => {
  const flags = parseId('run', invocation.rest, OPTIONS);
  const detach = isSet(flags, 'detach');
  const { native, tracer, global } = invocation;
  const { id } = flags;
  // What the container leaves behind becomes ours, until we leave.
  if (!detach && !isSet(flags, 'no-subreaper')) native.setChildSubreaper();
  const { container } = await createFromFlags(invocation, flags, { detach }).catch(asVerb('run'));
  try {
    writePidFile(textOf(flags, 'pid-file'), container.pid);
    const started = startContainer({ native, tracer, root: resolve(global.root), id });
    const ended = detach ? null : foreground(native, container);
    await started;
    if (!ended) return 0;
    const code = await ended;
    if (!isSet(flags, 'keep')) await remove(invocation, id, false);
    return code;
  } catch (error) {
    end(invocation, container);
    await remove(invocation, id, true);
    return asVerb('run')(error);
  }
};

const end = ({ native }: Invocation, { pid }: CreatedContainer): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone, and perhaps that was the trouble.
    native.peekExitedChild();
  }
};

const remove = ({ native, tracer, global }: Invocation, id: string, force: boolean) =>
  deleteContainer({
    native,
    tracer,
    root: resolve(global.root),
    id,
    force,
    onWarning: (message) => logError(message, global),
  });
