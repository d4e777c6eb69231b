/**
 * Whose event it is, where a run has several containers: told by the event itself, by the process that acts, or by the
 * id in the body of a call. What nobody says belongs to none.
 */
import type { ProcessEvent, SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { afterCall } from './apply-kernel.ts';
import { CONTAINER_AT_REST, type ContainerView, type Machine } from './machine.ts';
import { namespaceInodes } from './namespaces.ts';

const CONTAINER_ID = /^[0-9a-f]{64}$/;
/** Who belongs to one container alone. */
const PRIVATE = ['shim', 'runc', 'container'] as const;
type PrivateActor = (typeof PRIVATE)[number];

const isPrivate = (actor: string): actor is PrivateActor => PRIVATE.some((one) => one === actor);

/** The container that an event of this machine is about, or null. */
export const containerOf = (machine: Machine, event: SequencedEvent): string | null => {
  const named = namedIn(event);
  if (named !== null) return named;
  return pidsOf(event).reduce<string | null>(
    (found, pid) => found ?? machine.processes[String(pid)]?.containerId ?? null,
    null,
  );
};

/** The same machine, having noted what the event means for its container. */
export const withContainer = (machine: Machine, event: SequencedEvent): Machine => {
  const id = containerOf(machine, event);
  if (id === null) return machine;
  const known = machine.containers[id];
  const processes = claimed(machine, event, id);
  const view = advance(known ?? { ...CONTAINER_AT_REST, id }, event, processes);
  // A daemon that speaks of a container does not yet show anything of it.
  if (!known && Object.keys(view.current).length === 0) return machine;
  return {
    ...machine,
    processes,
    containers: { ...machine.containers, [id]: view },
    latest: id,
  };
};

function namedIn(event: SequencedEvent): string | null {
  if ((event.type === 'process' || event.type === 'output') && event.containerId !== undefined)
    return asId(event.containerId);
  if (event.type === 'spanStarted' || event.type === 'spanEvent' || event.type === 'process')
    return asId(event.attributes['container.id']);
  if (event.type !== 'message' || typeof event.body !== 'object' || event.body === null)
    return null;
  return asId(Reflect.get(event.body, 'id')) ?? asId(Reflect.get(event.body, 'containerId'));
}

const asId = (value: unknown): string | null =>
  typeof value === 'string' && CONTAINER_ID.test(value) ? value : null;

/** Who acts or is spoken to, and could belong to a container. */
function pidsOf(event: SequencedEvent): readonly number[] {
  const parties =
    event.type === 'message'
      ? [event.from, event.to]
      : event.type === 'syscall'
        ? [event.caller]
        : event.type === 'process'
          ? [{ actor: event.actor, pid: event.process.pid }]
          : [event.emitter];
  return parties.flatMap(({ actor, pid }) => (isPrivate(actor) && pid !== null ? [pid] : []));
}

/** A shim that nobody has named is the one that a message about this container goes to. */
function claimed(machine: Machine, event: SequencedEvent, id: string): Machine['processes'] {
  let { processes } = machine;
  for (const pid of pidsOf(event)) {
    const process = processes[String(pid)];
    if (process && process.containerId === null)
      processes = { ...processes, [String(pid)]: { ...process, containerId: id } };
  }
  return processes;
}

function advance(
  view: ContainerView,
  event: SequencedEvent,
  processes: Machine['processes'],
): ContainerView {
  if (event.type === 'process') return afterProcess(view, event, processes);
  const next = event.type === 'syscall' ? afterCall(view, event) : view;
  const [pid] = pidsOf(event);
  const process = processes[String(pid ?? '')];
  if (!process || !isPrivate(process.actor) || next.current[process.actor] !== undefined)
    return next;
  return { ...next, current: { ...next.current, [process.actor]: process.pid } };
}

/** As for the whole machine: the newest stands for its kind, but not one that has joined, and not by dying. */
function afterProcess(
  view: ContainerView,
  { actor, change, process: { pid }, attributes }: ProcessEvent,
  processes: Machine['processes'],
): ContainerView {
  if (!isPrivate(actor)) return view;
  const takesPlace =
    change !== 'exit' && change !== 'reparent' && processes[String(pid)]?.joined !== true;
  return {
    ...view,
    namespaces: namespaceInodes(view.namespaces, attributes),
    current:
      takesPlace || view.current[actor] === undefined
        ? { ...view.current, [actor]: pid }
        : view.current,
  };
}
