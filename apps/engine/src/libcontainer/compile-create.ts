/**
 * config.json → the plan of `runc create`. Read from top to bottom it is the explanation of what a container is.
 * Upstream: runc libcontainer/process_linux.go (runc's side), standard_init_linux.go (init's side).
 */
import { isAbsolute, join } from 'node:path';
import type { Process, RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { dropBoundingSet, keepCapabilities, setCapabilities } from './capabilities.ts';
import { joinCgroups, makeCgroups } from './cgroups/setup.ts';
import { cgroupOfBirth, cgroupsOf } from './cgroups/paths.ts';
import { type Compilation, type CreateInput, FD, refuse, SLOT } from './compilation.ts';
import { setUpConsole, wantsConsole } from './console.ts';
import { holdExecFifo, makeExecFifo, waitAtExecFifo } from './exec-fifo.ts';
import { execute, lookUpExecutable } from './executable.ts';
import { passHooksOn, stopForHooks } from './hook-gate.ts';
import { hasCreateHooks } from './hooks.ts';
import {
  checkIdentity,
  joinSessionKeyring,
  setNames,
  setOomScore,
  writeSysctls,
} from './identity.ts';
import {
  checkNamespaces,
  cloneInit,
  enterCgroupNamespace,
  isInUserNamespace,
  joinMountNamespace,
  joinNamespaces,
} from './namespaces.ts';
import { bringLoopbackUp } from './network.ts';
import { number, StageBuilder } from './plan/stage-builder.ts';
import type { Plan } from './plan/step.ts';
import {
  checkPreservedFds,
  handPreservedFdsOver,
  holdPreservedFds,
  recordFdFor,
} from './preserved-fds.ts';
import { asksAgent, keepAgentLine } from './seccomp/agent.ts';
import { setRlimits } from './rlimits.ts';
import { hasOwnDev, linkDevices, makeDevices } from './rootfs/devices.ts';
import { makePathsReadOnly, maskPaths } from './rootfs/masked-paths.ts';
import { mapSources } from './rootfs/id-mapped-mounts.ts';
import { idMapsOf } from './rootfs/id-maps.ts';
import { holdSources } from './rootfs/mount-sources.ts';
import { finishReadOnlyMounts, mountAll } from './rootfs/mounts.ts';
import { type ParsedMount, parseMounts } from './rootfs/parse-mounts.ts';
import { enterRoot, makeRootReadOnly, prepareRoot } from './rootfs/pivot-root.ts';
import { checkScheduling, setIoPriority, setPersonality, setScheduler } from './scheduling.ts';
import { applyAppArmor, checkAppArmor, installSeccomp, setNoNewPrivileges } from './security.ts';
import { giveStdioToUser } from './stdio.ts';
import { letGoOfInitsEnd, makeSyncLine, settleInit, tellReady, waitForInit } from './sync.ts';
import { checkTimeNamespace, makeTimeNamespace } from './time-namespace.ts';
import { changeUser, setUmask } from './user.ts';
import { checkUserNamespace, joinUserNamespace, takeIds, writeIdMaps } from './user-namespace.ts';
import {
  checkWorkingDirectory,
  enterWorkingDirectory,
  makeWorkingDirectory,
} from './working-directory.ts';

export const compileCreate = (input: CreateInput): Plan => {
  const c = begin(input);
  check(c);
  const mounts = parseMounts(c, input.imageModeOf);
  compileRunc(c, mounts);
  compileInit(c, mounts);
  return {
    parent: c.parent.steps,
    init: c.init.steps,
    preset: handedIn(c),
    ...recordFdFor(c),
  };
};

/**
 * What the spawner hands in, in this order: the socket for the terminal's master, the lines for the hooks and for the
 * seccomp agent; behind them the namespaces of id maps, and what the caller passes on.
 */
const slotsHandedIn = (c: Compilation): readonly string[] => [
  ...(wantsConsole(c) ? [SLOT.consoleSocket] : []),
  ...(hasCreateHooks(c.spec) ? [SLOT.hooks] : []),
  ...(asksAgent(c.linux.seccomp) ? [SLOT.agent] : []),
];

const handedIn = (c: Compilation): Plan['preset'] =>
  Object.fromEntries(slotsHandedIn(c).map((name, index) => [name, FD.firstHandedIn + index]));

const begin = (input: CreateInput): Compilation & CreateInput => {
  const { spec, bundle, facts } = input;
  const { process, linux } = spec;
  if (!process) return refuse('process property must not be empty');
  const args = process.args ?? [];
  if (args.length === 0) refuse('args must not be empty');
  return {
    ...input,
    process: { ...process, args } satisfies Process,
    linux: linux ?? {},
    rootfs: isAbsolute(spec.root.path) ? spec.root.path : join(bundle, spec.root.path),
    parent: new StageBuilder(facts.architecture),
    init: new StageBuilder(facts.architecture),
  };
};

const check = (c: Compilation): void => {
  const isFolder = c.facts.files.isDirectory(c.rootfs);
  if (isFolder === null) refuse(`invalid rootfs: stat ${c.rootfs}: no such file or directory`);
  if (!isFolder) refuse(`invalid rootfs: ${c.rootfs} is not a folder`);
  // A link could lead elsewhere by the time that it is mounted.
  if (c.facts.files.isSymbolicLink(c.rootfs))
    refuse('invalid rootfs: not an absolute path, or a symlink');
  if (c.rootfs === '/') refuse('invalid rootfs: it must not be /');
  refuseUnsupported(c.spec, c);
  checkNamespaces(c);
  checkUserNamespace(c);
  checkTimeNamespace(c);
  checkIdentity(c);
  checkWorkingDirectory(c);
  checkAppArmor(c);
  checkScheduling(c);
  checkPreservedFds(c);
};

/** Everything that config.json may ask for and this runtime does not do. Never ignored: said. */
const refuseUnsupported = (spec: RuntimeSpec, { process, linux }: Compilation): void => {
  const asked: readonly (readonly [string, boolean])[] = [
    ['linux.mountLabel (SELinux)', (linux.mountLabel ?? '') !== ''],
    ['process.selinuxLabel', (process.selinuxLabel ?? '') !== ''],
    ['linux.resources.blockIO.leafWeight', Boolean(linux.resources?.blockIO?.leafWeight)],
    [
      'linux.resources.blockIO.weightDevice[].leafWeight',
      (linux.resources?.blockIO?.weightDevice ?? []).some(({ leafWeight }) => Boolean(leafWeight)),
    ],
    ...['intelRdt', 'netDevices', 'memoryPolicy'].map(
      (name) => [`linux.${name}`, isThere(linux[name])] as const,
    ),
    ['process.execCPUAffinity', isThere(process['execCPUAffinity'])],
    ...['solaris', 'windows', 'vm', 'zos'].map((name) => [name, isThere(spec[name])] as const),
  ];
  const first = asked.find(([, isAsked]) => isAsked);
  if (first) refuse(`${first[0]} is not supported`);
};

const isThere = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  !(typeof value === 'object' && Object.keys(value).length === 0);

/** runc itself: cgroups and limits, then the clone, then wait. */
const compileRunc = (c: Compilation & CreateInput, mounts: readonly ParsedMount[]): void => {
  const cgroups = cgroupsOf(c.facts, c.linux.cgroupsPath, c.id);
  c.parent.call('umask', [number(0)], {
    title: 'what runc makes gets exactly the permissions that it asks for',
    object: 'identity',
    source: __SOURCE__,
    reference: 'man:umask(2)',
  });
  makeExecFifo(c);
  makeCgroups(c, cgroups);
  joinNamespaces(c);
  makeSyncLine(c);
  makeTimeNamespace(c);
  mapSources(c, mounts, FD.firstHandedIn + slotsHandedIn(c).length);
  if (isInUserNamespace(c)) setOomScore(c, c.parent);
  joinUserNamespace(c);
  cloneInit(c, { intoCgroup: cgroupOfBirth(cgroups) !== undefined });
  letGoOfInitsEnd(c);
  writeIdMaps(c);
  passHooksOn(c);
  waitForInit(c);
};

/** init, the future PID 1: still root, still on the host's files; step by step it gives both away. */
const compileInit = (c: Compilation & CreateInput, mounts: readonly ParsedMount[]): void => {
  const cgroups = cgroupsOf(c.facts, c.linux.cgroupsPath, c.id);
  settleInit(c);
  keepAgentLine(c);
  holdPreservedFds(c, FD.firstHandedIn + slotsHandedIn(c).length + idMapsOf(c.spec).length);
  joinCgroups(c, cgroups);
  holdExecFifo(c);
  joinMountNamespace(c);
  holdSources(c, mounts);
  takeIds(c);
  enterCgroupNamespace(c);
  if (c.keepSessionKeyring !== true) joinSessionKeyring(c);

  setNames(c);
  bringLoopbackUp(c);
  writeSysctls(c);
  if (!isInUserNamespace(c)) setOomScore(c, c.init);

  prepareRoot(c);
  mountAll(c, mounts);
  if (hasOwnDev(mounts)) {
    makeDevices(c);
    linkDevices(c);
  }
  setUpConsole(c);
  makeWorkingDirectory(c);
  stopForHooks(c);
  enterRoot(c);
  handPreservedFdsOver(c);
  finishReadOnlyMounts(c, mounts);
  makeRootReadOnly(c);
  setUmask(c);
  makePathsReadOnly(c, mounts);
  maskPaths(c);

  setNoNewPrivileges(c);
  applyAppArmor(c);
  setRlimits(c);
  setPersonality(c);
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
  waitAtExecFifo(c);
  installSeccomp(c, 'last');
  execute(c);
};
