/**
 * The steps of runc that make the container's cgroups and write its limits, and those of init that join them.
 * cgroups(7). Upstream: opencontainers/cgroups manager/.
 */
import type { LinuxResources } from '../../protocol/oci/runtime-spec.ts';
import { type Compilation, SLOT } from '../compilation.ts';
import type { HostFacts } from '../host-facts.ts';
import { ERRNO } from '../plan/errno.ts';
import { openFlags } from '../plan/constants.ts';
import { AT_FDCWD, flags, number, type StageBuilder, text } from '../plan/stage-builder.ts';
import type { Guard } from '../plan/step.ts';
import { limitDevices } from './device-filter.ts';
import { type Cgroup, hierarchyName, isUnified, levelsOf } from './paths.ts';
import { cpusetValues, v1Limits } from './v1.ts';
import { controllersToEnable, v2Limits } from './v2.ts';

/** One file of a cgroup and what to write into it. */
export interface Limit {
  readonly file: string;
  readonly value: string;
  readonly title: string;
  /** Limits that a reader looks for are steps, the rest is detail. */
  readonly level?: 'step' | 'detail';
  readonly ignore?: readonly number[];
  readonly guard?: Guard;
}

export const resourcesOf = (c: Compilation): LinuxResources => c.linux.resources ?? {};

/** What is to be written into which cgroup. */
export const limitsOf = (
  facts: HostFacts,
  cgroups: readonly Cgroup[],
  resources: LinuxResources,
): ReadonlyMap<Cgroup, readonly Limit[]> =>
  isUnified(cgroups) ? v2Limits(facts, cgroups, resources) : v1Limits(facts, cgroups, resources);

/** Postcondition: every cgroup exists and holds its limits; the slot `cgroup` holds the one of version 2. */
export const makeCgroups = (c: Compilation, cgroups: readonly Cgroup[]): void => {
  const unified = isUnified(cgroups);
  const resources = resourcesOf(c);
  const limits = limitsOf(c.facts, cgroups, resources);
  cgroups.forEach((cgroup, index) => {
    makeCgroup(c, cgroup, {
      isFirst: index === 0,
      enable: unified ? controllersToEnable(cgroup, resources) : [],
    });
    for (const limit of limits.get(cgroup) ?? []) writeLimit(c, cgroup, limit);
    if (cgroup.hierarchy.version === 2) holdCgroup(c, cgroup);
    if (unified) limitDevices(c, resources.devices ?? []);
  });
};

const makeCgroup = (
  c: Compilation,
  cgroup: Cgroup,
  options: { isFirst: boolean; enable: readonly string[] },
): void => {
  const { files } = c.facts;
  const levels = levelsOf(cgroup);
  const cpuset = cpusetValues(cgroup, levels, files);
  let above = cgroup.hierarchy.mountPoint;
  for (const path of levels) {
    for (const controller of options.enable) enableController(c, above, controller);
    // The container's own cgroup is always made here; those above it usually stand already.
    const isOwn = path === cgroup.path;
    if (isOwn || !files.exists(path)) {
      c.parent.call('mkdirat', [AT_FDCWD, text(path), number(0o755, '0755')], {
        title: isOwn
          ? `a cgroup for the container: ${hierarchyName(cgroup.hierarchy)}`
          : `a cgroup above the container's: ${path}`,
        object: 'cgroup',
        level: isOwn && options.isFirst ? 'step' : 'detail',
        source: __SOURCE__,
        reference: 'man:cgroups(7)',
        ignore: [ERRNO.EEXIST],
        purpose: 'cgroup',
        attributes: { 'engineroom.cgroup.path': cgroup.inner },
      });
    }
    for (const limit of cpuset.get(path) ?? []) writeLimit(c, { ...cgroup, path }, limit);
    above = path;
  }
};

const enableController = (c: Compilation, folder: string, controller: string): void => {
  const enabled = (c.facts.files.read(`${folder}/cgroup.subtree_control`) ?? '').split(' ');
  if (enabled.includes(controller)) return;
  c.parent.writeFile(`${folder}/cgroup.subtree_control`, `+${controller}`, {
    title: `${controller} may be limited below ${folder}`,
    object: 'cgroup',
    source: __SOURCE__,
    reference: 'man:cgroups(7)',
    purpose: 'cgroup',
  });
};

const writeLimit = (c: Compilation, cgroup: Cgroup, limit: Limit): void =>
  limitStep(c.parent, cgroup, limit);

export const limitStep = (stage: StageBuilder, cgroup: Cgroup, limit: Limit): void => {
  stage.writeFile(`${cgroup.path}/${limit.file}`, limit.value, {
    title: limit.title,
    object: 'cgroup',
    level: limit.level ?? 'detail',
    source: __SOURCE__,
    reference: 'OCI config-linux.md#control-groups',
    purpose: 'cgroup limit',
    ...(limit.ignore ? { ignore: limit.ignore } : {}),
    ...(limit.guard ? { guard: limit.guard } : {}),
    attributes: {
      'engineroom.cgroup.path': cgroup.inner,
      'engineroom.cgroup.file': limit.file,
      'engineroom.cgroup.value': limit.value,
    },
  });
};

/** Version 2: init is born inside the cgroup, so not a page is charged elsewhere. clone(2) CLONE_INTO_CGROUP */
export const holdCgroup = (c: Compilation, cgroup: Cgroup): void => {
  const open = openFlags(c.facts.architecture);
  c.parent.call(
    'openat',
    [AT_FDCWD, text(cgroup.path), flags(open, open.O_DIRECTORY | open.O_CLOEXEC)],
    {
      title: 'hold the cgroup that the first process shall be born in',
      object: 'cgroup',
      source: __SOURCE__,
      reference: 'man:clone(2)',
      resultSlot: SLOT.cgroup,
      purpose: 'cgroup',
    },
  );
};

/**
 * Version 1 knows no birth in a cgroup: init moves itself, first of all. `0` means "me".
 * It has one thread, so to move that thread is to move the process; and for a single thread that moves itself the kernel
 * takes no lock over all processes of the machine, which costs some ten milliseconds (`cgroup.procs`, or any other pid).
 */
export const joinCgroups = (c: Compilation, cgroups: readonly Cgroup[]): void => {
  const joined = cgroups.filter(({ hierarchy }) => hierarchy.version === 1);
  joined.forEach((cgroup, index) => {
    c.init.writeFile(`${cgroup.path}/tasks`, '0', {
      title: `move into the cgroup: ${hierarchyName(cgroup.hierarchy)}`,
      object: 'cgroup',
      level: index === 0 ? 'step' : 'detail',
      source: __SOURCE__,
      reference: 'man:cgroups(7)',
      purpose: 'cgroup',
      attributes: {
        'engineroom.cgroup.path': cgroup.inner,
        'engineroom.cgroup.file': 'tasks',
        'engineroom.cgroup.value': '0',
      },
    });
  });
};
