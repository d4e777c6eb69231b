/** The containers of a run, and the machine as it looks when one of them is in focus. */
import { isRunning, nameOfProcess, type ContainerView, type Machine } from './machine.ts';

export type ContainerState = 'making' | 'created' | 'running' | 'ended';

export interface ListedContainer {
  readonly id: string;
  readonly state: ContainerState;
  readonly pid: number | null;
  /** What runs in it, or ran. */
  readonly program: string;
}

/** In the order in which the run spoke of them first. */
export const containersOf = (machine: Machine): readonly ListedContainer[] =>
  Object.values(machine.containers).map((view) => listed(machine, view));

function listed({ processes }: Machine, { id, current }: ContainerView): ListedContainer {
  const init = processes[String(current.container ?? '')];
  if (!init) return { id, state: 'making', pid: null, program: '' };
  const state = init.exit
    ? 'ended'
    : init.joined || isRunning(init)
      ? 'running'
      : init.formerParents.length > 0
        ? 'created'
        : 'making';
  return { id, state, pid: init.pid, program: nameOfProcess(init) };
}

/** Of several containers the one that the reader chose, else the one that the story is at. */
export const shownContainer = (machine: Machine, focus: string | null): string | null =>
  focus !== null && focus in machine.containers ? focus : machine.latest;

const seen = new WeakMap<Machine, Map<string, Machine>>();

/** What belongs to one container alone is this one's; where there is but one, everything is. */
export const inFocus = (machine: Machine, id: string | null): Machine => {
  const view = id === null ? undefined : machine.containers[id];
  if (!view || Object.keys(machine.containers).length < 2) return machine;
  const known = seen.get(machine) ?? new Map<string, Machine>();
  seen.set(machine, known);
  const before = known.get(view.id);
  if (before) return before;
  const { kernel, namespaces, cgroup, current } = view;
  const { docker, dockerd, containerd, lab } = machine.current;
  const daemons = Object.fromEntries(
    Object.entries({ docker, dockerd, containerd, lab }).filter(([, pid]) => pid !== undefined),
  );
  const focused = {
    ...machine,
    latest: view.id,
    kernel,
    namespaces,
    cgroup,
    current: { ...daemons, ...current },
  };
  known.set(view.id, focused);
  return focused;
};

export const shortId = (id: string): string => id.slice(0, 12);
