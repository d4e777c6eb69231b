/**
 * The plan of `runc exec`: one more process in a container that runs. Nothing is furnished any more: the process joins
 * what is there, then gives up power in the same order as the container's first process did.
 * setns(2), pidfd_open(2). Upstream: runc libcontainer/setns_init_linux.go, process_linux.go (setnsProcess).
 */
import type { Process } from '../protocol/oci/runtime-spec.ts';
import { dropBoundingSet, keepCapabilities, setCapabilities } from './capabilities.ts';
import { type Cgroup, cgroupOfBirth } from './cgroups/paths.ts';
import { holdCgroup, joinCgroups } from './cgroups/setup.ts';
import { type Compilation, FD, type ProgramInput, refuse, SLOT } from './compilation.ts';
import { setUpConsole, wantsConsole } from './console.ts';
import { execute, lookUpExecutable } from './executable.ts';
import { joinSessionKeyring, setOomScore } from './identity.ts';
import { cloneIntoContainer, enterNamespaces, enterPidNamespace, type Kind } from './namespaces.ts';
import { openFlags, PR } from './plan/constants.ts';
import { AT_FDCWD, flags, number, StageBuilder, text } from './plan/stage-builder.ts';
import type { Plan } from './plan/step.ts';
import {
  checkPreservedFds,
  handPreservedFdsOver,
  holdPreservedFds,
  recordFdFor,
} from './preserved-fds.ts';
import { asksAgent, keepAgentLine } from './seccomp/agent.ts';
import { setRlimits } from './rlimits.ts';
import { checkScheduling, setIoPriority, setScheduler } from './scheduling.ts';
import { applyAppArmor, checkAppArmor, installSeccomp, setNoNewPrivileges } from './security.ts';
import { giveStdioToUser } from './stdio.ts';
import { letGoOfInitsEnd, makeSyncLine, settleInit, tellReady, waitForInit } from './sync.ts';
import { becomeRootOfUserNamespace, changeUser, setUmask } from './user.ts';
import { checkWorkingDirectory, enterWorkingDirectory } from './working-directory.ts';

export interface ExecInput extends ProgramInput {
  /** What shall run; `spec` is the container's, as it was at its create. */
  readonly process: Process;
  /** The program, where it is not the first of the arguments. */
  readonly executable?: string | undefined;
  readonly rootfs: string;
  /** Those in which the container's init is and runc is not. */
  readonly namespaces: readonly Kind[];
  readonly cgroups: readonly Cgroup[];
}

/**
 * What the spawner hands in, in this order: the pidfd of the container's init, the socket for the terminal's master, the
 * line for the seccomp agent; behind them what the caller passes on.
 */
const slotsHandedIn = (c: Compilation): readonly string[] => [
  SLOT.container,
  ...(wantsConsole(c) ? [SLOT.consoleSocket] : []),
  ...(asksAgent(c.linux.seccomp) ? [SLOT.agent] : []),
];

export const compileExec = (input: ExecInput): Plan => {
  const c = begin(input);
  checkWorkingDirectory(c);
  checkAppArmor(c);
  checkScheduling(c);
  checkPreservedFds(c);
  compileRunc(c, input);
  compileProcess(c, input);
  return {
    parent: c.parent.steps,
    init: c.init.steps,
    preset: Object.fromEntries(
      slotsHandedIn(c).map((name, index) => [name, FD.firstHandedIn + index]),
    ),
    ...recordFdFor(c),
  };
};

/** What `process` does not say is as for the container's first process. */
const begin = (input: ExecInput): Compilation => {
  const { spec, process, facts } = input;
  const args = process.args ?? [];
  if (args.length === 0) refuse('args must not be empty');
  const first = spec.process;
  const rlimits = (process.rlimits ?? []).length > 0 ? process.rlimits : first?.rlimits;
  return {
    ...input,
    process: {
      ...process,
      args,
      capabilities: process.capabilities ?? first?.capabilities,
      rlimits,
      oomScoreAdj: process.oomScoreAdj ?? first?.oomScoreAdj,
      apparmorProfile: process.apparmorProfile || first?.apparmorProfile,
    },
    linux: spec.linux ?? {},
    parent: new StageBuilder(facts.architecture),
    init: new StageBuilder(facts.architecture),
  };
};

/** runc itself stays outside; only its child goes in. */
const compileRunc = (c: Compilation, { namespaces, cgroups }: ExecInput): void => {
  // Before it has given up its power the new process is seen by those in the container.
  c.parent.call('prctl', [number(PR.PR_SET_DUMPABLE, 'PR_SET_DUMPABLE'), number(0)], {
    title: 'nobody in the container may look into the process that is coming',
    object: 'process',
    source: __SOURCE__,
    reference: 'man:PR_SET_DUMPABLE(2const)',
    purpose: 'dumpable',
  });
  const cgroup = cgroupOfBirth(cgroups);
  if (cgroup) holdCgroup(c, cgroup);
  makeSyncLine(c);
  enterPidNamespace(c, namespaces);
  cloneIntoContainer(c, { intoCgroup: cgroup !== undefined });
  letGoOfInitsEnd(c);
  waitForInit(c);
};

const compileProcess = (c: Compilation, { namespaces, cgroups }: ExecInput): void => {
  settleInit(c);
  keepAgentLine(c);
  holdPreservedFds(c, FD.firstHandedIn + slotsHandedIn(c).length);
  // Files of the host, and of its /proc: the container's may be anything by now.
  joinCgroups(c, cgroups);
  setOomScore(c, c.init);
  applyAppArmor(c);

  enterNamespaces(c, namespaces);
  if (namespaces.includes('user')) becomeRootOfUserNamespace(c.init);
  joinSessionKeyring(c);
  if (wantsConsole(c)) {
    holdRoot(c);
    setUpConsole(c, { isExec: true });
  }
  letGo(c);
  handPreservedFdsOver(c);
  setUmask(c);

  setNoNewPrivileges(c);
  setRlimits(c);
  setScheduler(c);
  setIoPriority(c);
  installSeccomp(c, 'with capabilities');
  dropBoundingSet(c);
  enterWorkingDirectory(c, 'root');
  keepCapabilities(c, true);
  giveStdioToUser(c);
  changeUser(c);
  enterWorkingDirectory(c, 'user');
  keepCapabilities(c, false);
  setCapabilities(c);

  lookUpExecutable(c);
  installSeccomp(c, 'before ready');
  tellReady(c);
  installSeccomp(c, 'last');
  execute(c);
};

const holdRoot = (c: Compilation): void => {
  const open = openFlags(c.facts.architecture);
  c.init.call(
    'openat',
    [AT_FDCWD, text('/'), flags(open, open.O_PATH | open.O_DIRECTORY | open.O_CLOEXEC)],
    {
      title: "hold the container's root: the terminal is looked for from here",
      object: 'root',
      source: __SOURCE__,
      reference: 'man:open(2)',
      resultSlot: SLOT.rootfs,
      purpose: 'console',
    },
  );
};

/** Postcondition: neither a working directory nor a program can be reached through a descriptor (CVE-2024-21626). */
const letGo = (c: Compilation): void => {
  for (const [first, last] of [
    [3, 3],
    [FD.firstToClose, FD.syncInit - 1],
  ] as const) {
    c.init.call('close_range', [number(first), number(last), number(0)], {
      title: 'let go of every descriptor that leads out of the container',
      object: 'process',
      source: __SOURCE__,
      reference: 'man:close_range(2)',
      purpose: 'stdio',
    });
  }
};
