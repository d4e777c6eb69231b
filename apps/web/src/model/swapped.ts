/** Other people's components in the place of ours (`npm start -- --runtime`, `--shim`): they tell nothing of themselves. */
import { castOf, factsOf, type StageActor } from './actors.ts';
import type { Machine } from './machine.ts';

/** The program that stands in an actor's place; null for our own, and before anybody has spoken of one. */
export const swappedFor = (machine: Machine, actor: StageActor): string | null => {
  if (actor !== 'shim' && actor !== 'runc') return null;
  const process = machine.processes[String(machine.current[actor] ?? '')];
  const program = process?.attributes['engineroom.topology.component'];
  return typeof program === 'string' ? program : null;
};

/** `runc: crun`, `shim: runc-v2`, and where the names are the same `runc: /usr/sbin/runc`. */
export const labelIn = (machine: Machine, actor: StageActor): string => {
  const facts = castOf(machine).find((each) => each.actor === actor) ?? factsOf(actor);
  const label = facts?.label ?? actor;
  const program = swappedFor(machine, actor);
  if (program === null) return label;
  const name = program.slice(program.lastIndexOf('/') + 1).replace(/^containerd-shim-/, '');
  return `${label}: ${name === label ? program : name}`;
};
