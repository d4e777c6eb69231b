/** What of a run can be broken: the containers that still run at its end, and their shims. */
import type { Machine, ProcessView } from './machine.ts';

export interface LivingPair {
  readonly containerId: string;
  readonly init: ProcessView;
  readonly shim: ProcessView | null;
}

export const livingPairs = (machine: Machine): readonly LivingPair[] => {
  const pairs = new Map<string, LivingPair>();
  for (const process of Object.values(machine.processes)) {
    const { containerId, actor, exit, execAt, joined } = process;
    if (actor !== 'container' || containerId === null || exit || execAt === null || joined)
      continue;
    const parent = process.ppid === null ? undefined : machine.processes[String(process.ppid)];
    const shim = parent?.actor === 'shim' && parent.exit === null ? parent : null;
    pairs.set(containerId, { containerId, init: process, shim });
  }
  return [...pairs.values()];
};
