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
    const { containerId, actor, exit, execAt } = process;
    if (actor !== 'container' || containerId === null || exit || execAt === null) continue;
    const known = pairs.get(containerId);
    // `docker exec` adds processes; the first to be born is the container's own.
    if (known && (known.init.bornAt ?? 0) <= (process.bornAt ?? 0)) continue;
    const parent = process.ppid === null ? undefined : machine.processes[String(process.ppid)];
    const shim = parent?.actor === 'shim' && parent.exit === null ? parent : null;
    pairs.set(containerId, { containerId, init: process, shim });
  }
  return [...pairs.values()];
};
