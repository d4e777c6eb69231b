/**
 * A `create` that has failed leaves nothing behind: mounts and namespaces went with init, its cgroups go here.
 * cgroups(7). Upstream: runc libcontainer/process_linux.go (initProcess.start).
 */
import { readFileSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import type { HostFacts } from './host-facts.ts';
import type { Plan } from './plan/step.ts';
import { removeCgroups } from './remove-cgroups.ts';
import { type PlanOutcome, runPlan } from './run-plan.ts';

type CgroupPaths = Readonly<Record<string, string>>;

/** init vanished without a word: the most common reason has a counter. */
export const oomOr = (paths: CgroupPaths, message: string): string => {
  const counters = [
    `${paths['memory'] ?? ''}/memory.oom_control`,
    `${paths['unified'] ?? ''}/memory.events`,
  ].map((path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  });
  const killed = counters.some((text) => /^oom_kill [1-9]/m.test(text));
  return killed
    ? 'runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?)'
    : message;
};

/** The error to throw. */
export const undoCreate = async (
  creation: {
    readonly native: Native;
    readonly tracer: Tracer;
    readonly facts: HostFacts;
    readonly id: string;
    readonly bundle: string;
    readonly span: Span;
    readonly stdio: readonly [number, number, number];
  },
  paths: CgroupPaths,
  message: string,
): Promise<EngineError> => {
  const { native, tracer, facts, id, bundle, span, stdio } = creation;
  const run = (plan: Plan): Promise<PlanOutcome> => {
    const argv = ['runc', 'create', '--bundle', bundle, id];
    return runPlan({ native, tracer, plan, argv, stdio, cwd: '/', span, containerId: id }).exited;
  };
  try {
    await removeCgroups(Object.values(paths), facts.architecture, run);
  } catch (error) {
    return new EngineError('unknown', message, { cause: error });
  }
  return new EngineError('unknown', message);
};
