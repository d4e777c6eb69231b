/**
 * `runc update`: new limits for a container, into the same files that `create` wrote.
 * OCI config-linux.md#control-groups. Upstream: runc update.go, opencontainers/cgroups fs/memory.go, fs/cpu.go.
 */
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { LinuxResources } from '../protocol/oci/runtime-spec.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { type Cgroup, cgroupAt, isUnified } from './cgroups/paths.ts';
import { type Limit, limitStep, limitsOf } from './cgroups/setup.ts';
import { type HostFacts, readHostFacts } from './host-facts.ts';
import { withNullStdio } from './null-stdio.ts';
import { ERRNO, errnoSentence } from './plan/errno.ts';
import { StageBuilder } from './plan/stage-builder.ts';
import type { Plan } from './plan/step.ts';
import type { Failure } from './plan-trace.ts';
import { runPlan } from './run-plan.ts';
import { type ContainerState, readSpec, readState, writeSpec } from './state-file.ts';

export interface UpdateOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly root: string;
  readonly id: string;
  /** What it does not name stays as it is. */
  readonly resources: LinuxResources;
  readonly facts?: HostFacts;
}

export const updateContainer = async (options: UpdateOptions): Promise<void> => {
  const { native, tracer, root, id } = options;
  const words = { source: __SOURCE__, attributes: { 'container.id': id } } as const;
  await tracer.span('runc update', words, async (span) => {
    const state = readState(root, id);
    if (state.status === 'stopped')
      throw new EngineError('failed_precondition', 'cannot update a stopped container');
    const facts = options.facts ?? readHostFacts();
    const spec = readSpec(root, id);
    // Which devices a container may use is settled when it is made.
    const { devices: _, ...wanted } = options.resources;
    const cgroups = cgroupsOf(facts, state);
    const resources = completed(wanted, spec.linux?.resources ?? {}, facts, cgroups);
    const plan = compileUpdate(facts, cgroups, resources);
    const outcome = await withNullStdio(
      (stdio) =>
        runPlan({
          native,
          tracer,
          plan,
          argv: ['runc', 'update', id],
          stdio,
          cwd: '/',
          span,
          containerId: id,
        }).exited,
    );
    if (outcome.code !== 0) throw failed(outcome.failure, facts);
    const before = spec.linux?.resources;
    writeSpec(root, id, {
      ...spec,
      linux: { ...spec.linux, resources: merged(before ?? {}, wanted) },
    });
  });
};

/** By the state file: config.json's path may be relative to a cgroup that only `create` was in. */
const cgroupsOf = (facts: HostFacts, { cgroupPaths }: Pick<ContainerState, 'cgroupPaths'>) =>
  facts.hierarchies.flatMap((hierarchy) => cgroupAt(hierarchy, cgroupPaths) ?? []);

const merged = (before: LinuxResources, wanted: LinuxResources): LinuxResources => ({
  ...before,
  ...wanted,
  ...(wanted.memory ? { memory: { ...before.memory, ...wanted.memory } } : {}),
  ...(wanted.cpu ? { cpu: { ...before.cpu, ...wanted.cpu } } : {}),
  ...(wanted.blockIO ? { blockIO: { ...before.blockIO, ...wanted.blockIO } } : {}),
  ...(wanted.unified ? { unified: { ...before.unified, ...wanted.unified } } : {}),
});

/** Some files hold two values: what is not new in them is said again. */
const completed = (
  wanted: LinuxResources,
  before: LinuxResources,
  facts: HostFacts,
  cgroups: readonly Cgroup[],
): LinuxResources => {
  const { cpu, memory } = wanted;
  const { quota, period } = before.cpu ?? {};
  const hasSwap = memoryFile(facts, cgroups, 'memory.memsw.limit_in_bytes') !== null;
  return {
    ...wanted,
    ...(cpu && (cpu.quota || cpu.period)
      ? { cpu: { ...cpu, quota: cpu.quota || quota, period: cpu.period || period } }
      : {}),
    ...(memory
      ? {
          memory: {
            ...memory,
            ...(memory.limit === -1 && !memory.swap && (hasSwap || isUnified(cgroups))
              ? { swap: -1 }
              : {}),
            // Version 2 writes swap alone, the difference of the two.
            ...(isUnified(cgroups) && memory.swap && !memory.limit && before.memory?.limit
              ? { limit: before.memory.limit }
              : {}),
          },
        }
      : {}),
  };
};

const memoryFile = (facts: HostFacts, cgroups: readonly Cgroup[], file: string): string | null => {
  const cgroup = cgroups.find(({ hierarchy }) => hierarchy.controllers.includes('memory'));
  return cgroup ? facts.files.read(`${cgroup.path}/${file}`) : null;
};

const compileUpdate = (
  facts: HostFacts,
  cgroups: readonly Cgroup[],
  resources: LinuxResources,
): Plan => {
  const runc = new StageBuilder(facts.architecture);
  for (const [cgroup, limits] of limitsOf(facts, cgroups, resources))
    for (const limit of inOrder(facts, cgroup, limits)) limitStep(runc, cgroup, limit);
  return { parent: runc.steps, init: [], preset: {} };
};

const MEMORY = 'memory.limit_in_bytes';
const MEMORY_AND_SWAP = 'memory.memsw.limit_in_bytes';
const QUOTA = 'cpu.cfs_quota_us';
const PERIOD = 'cpu.cfs_period_us';

/** At every moment memory must be below memory-and-swap, and quota must not exceed what a group above has. */
const inOrder = (facts: HostFacts, cgroup: Cgroup, all: readonly Limit[]): readonly Limit[] => {
  const limits = all.filter(({ file }) => !file.startsWith('devices.'));
  const named = (file: string): Limit[] => limits.filter((limit) => limit.file === file);
  const others = limits.filter(
    ({ file }) => ![MEMORY, MEMORY_AND_SWAP, QUOTA, PERIOD].includes(file),
  );
  const [memory, swap, quota, period] = [MEMORY, MEMORY_AND_SWAP, QUOTA, PERIOD].map(named);
  const now = BigInt(facts.files.read(`${cgroup.path}/${MEMORY_AND_SWAP}`) ?? 0);
  const wanted = BigInt(memory?.[0]?.value ?? 0);
  const grows = wanted < 0n || wanted > now;
  return [
    ...(grows ? [...(swap ?? []), ...(memory ?? [])] : [...(memory ?? []), ...(swap ?? [])]),
    // With the old quota the new period may be too much; then it comes after the new quota.
    ...(period ?? []).map((limit) =>
      (quota ?? []).length > 0 ? { ...limit, ignore: [ERRNO.EINVAL] } : limit,
    ),
    ...(quota ?? []),
    ...((quota ?? []).length > 0 ? (period ?? []) : []),
    ...others,
  ];
};

const failed = (failure: Failure | null, facts: HostFacts): EngineError => {
  const { step, record } = failure ?? {};
  if (step?.kind !== 'writeFile' || !record) return new EngineError('unknown', 'runc was killed');
  if (record.errno === ERRNO.EBUSY && step.path.endsWith('memory.limit_in_bytes')) {
    const folder = step.path.slice(0, step.path.lastIndexOf('/'));
    const [usage, peak] = ['memory.usage_in_bytes', 'memory.max_usage_in_bytes'].map((file) =>
      facts.files.read(`${folder}/${file}`),
    );
    return new EngineError(
      'failed_precondition',
      `unable to set memory limit to ${step.data} (current usage: ${usage}, peak usage: ${peak})`,
    );
  }
  return new EngineError(
    'invalid_argument',
    `failed to write ${JSON.stringify(step.data)}: write ${step.path}: ${errnoSentence(record.errno)}`,
  );
};
