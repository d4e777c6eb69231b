/**
 * SCMP_ACT_NOTIFY: for some calls the kernel asks a program on the host, the agent, what to answer. It hears of them
 * through a descriptor that init gets with its filter and that nobody but the agent may keep.
 *
 *   caller                                     init
 *                                              seccomp(…, NEW_LISTENER) = listener
 *   pidfd_getfd(listener)   ◀────────── "1" ── the filter is in force
 *   connect to listenerPath,
 *   sendmsg(state, SCM_RIGHTS)
 *   write ───────────────────────────── "1" ─▶ read: goes on
 *
 * From its filter on init itself may be stopped by it: the agent lets it pass, once it has the listener.
 * seccomp_unotify(2), OCI config-linux.md#seccomp, runtime.md. Upstream: runc libcontainer/process_linux.go (procSeccomp).
 */
import { readdirSync, readlinkSync } from 'node:fs';
import type { Native } from '../../../../../native/native.ts';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { LinuxSeccomp } from '../../protocol/oci/runtime-spec.ts';
import type { State } from '../../protocol/oci/state.ts';
import { type Compilation, FD, SLOT } from '../compilation.ts';
import { openFlags } from '../plan/constants.ts';
import { flags, number, slot } from '../plan/stage-builder.ts';
import { hear, say } from '../sync-words.ts';

const NOTIFY = 'SCMP_ACT_NOTIFY';
/** init itself makes them before the agent can have the listener: upstream refuses `write`, and ours takes the time, too. */
const NEEDED_BY_INIT = ['write', 'clock_gettime'];

export const asksAgent = (policy: LinuxSeccomp | null | undefined): boolean =>
  (policy?.syscalls ?? []).some(({ action }) => action === NOTIFY);

/** Refuses what cannot work, in upstream's words. */
export const checkNotify = (policy: LinuxSeccomp): void => {
  if (policy.defaultAction === NOTIFY)
    throw new EngineError('invalid_argument', `${NOTIFY} cannot be used as default action`);
  if (!asksAgent(policy)) return;
  for (const { names, action } of policy.syscalls ?? []) {
    const needed = NEEDED_BY_INIT.find((name) => action === NOTIFY && names.includes(name));
    if (needed)
      throw new EngineError(
        'invalid_argument',
        `${NOTIFY} cannot be used for the ${needed} syscall`,
      );
  }
  if (!policy.listenerPath) throw new EngineError('invalid_argument', 'listenerPath is not set');
};

/** While nothing was closed yet. */
export const keepAgentLine = (c: Compilation): void => {
  if (!asksAgent(c.linux.seccomp)) return;
  const { O_CLOEXEC } = openFlags(c.facts.architecture);
  c.init.call('dup3', [slot(SLOT.agent), number(FD.agent), flags({ O_CLOEXEC }, O_CLOEXEC)], {
    title: "keep the line for the filter's listener where the great closing does not reach",
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:dup(2)',
    resultSlot: SLOT.agent,
    purpose: 'seccomp',
  });
};

/** Precondition: the filter is in force. */
export const waitForAgent = (c: Compilation): void => {
  if (!asksAgent(c.linux.seccomp)) return;
  say(c.init, SLOT.agent, 'the filter is in force: its agent may have the listener', 'seccomp');
  hear(c.init, SLOT.agent, 'wait until the agent has it', 'seccomp');
};

/** Precondition: the process waits in `waitForAgent`. */
export const informAgent = (
  native: Native,
  policy: LinuxSeccomp,
  { pid, state }: { readonly pid: number; readonly state: State },
): void => {
  const words = {
    ociVersion: state.ociVersion,
    fds: ['seccompFd'],
    pid,
    metadata: policy.listenerMetadata ?? '',
    state,
  };
  const pidfd = native.pidfdOpen(pid);
  let listener = -1;
  try {
    listener = native.pidfdGetFd(pidfd, listenerOf(pid));
    native.sendFd(policy.listenerPath ?? '', Buffer.from(JSON.stringify(words)), listener);
  } catch (error) {
    throw new EngineError(
      'unknown',
      `failed to connect with seccomp agent specified in the seccomp profile: ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    native.close(pidfd);
    if (listener >= 0) native.close(listener);
  }
};

const listenerOf = (pid: number): number => {
  const folder = `/proc/${pid}/fd`;
  const fd = readdirSync(folder).find((name) =>
    readlinkSync(`${folder}/${name}`).includes('seccomp'),
  );
  if (fd === undefined) throw new EngineError('internal', 'the process has no seccomp listener');
  return Number(fd);
};
