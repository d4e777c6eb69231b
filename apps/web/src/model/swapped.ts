/** Other people's components in the place of ours (`npm start -- --runtime`, `--shim`): they tell nothing of themselves. */
import { labelOf, type StageActor } from './actors.ts';
import type { Machine } from './machine.ts';

/** The program that stands in an actor's place; null for our own, and before anybody has spoken of one. */
export const swappedFor = (machine: Machine, actor: StageActor): string | null => {
  if (actor !== 'shim' && actor !== 'runc') return null;
  const process = machine.processes[String(machine.current[actor] ?? '')];
  const program = process?.attributes['engineroom.topology.component'];
  return typeof program === 'string' ? program : null;
};

/** `runc: crun`, `shim: runc-v2`, and where the names are the same `runc: /usr/sbin/runc`; a client goes by the name of its program. */
export const labelIn = (machine: Machine, actor: StageActor): string => {
  if (actor === 'client')
    return machine.processes[String(machine.current.client ?? '')]?.name ?? labelOf(actor);
  const label = labelOf(actor);
  const program = swappedFor(machine, actor);
  if (program === null) return label;
  const name = program.slice(program.lastIndexOf('/') + 1).replace(/^containerd-shim-/, '');
  return `${label}: ${name === actor ? program : name}`;
};
