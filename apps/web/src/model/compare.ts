/**
 * Two runs side by side: which steps both took, in the same order, and which only one of them; and how they ended.
 * A step is recognised by who did what, without the pids, ids and times that differ between any two runs.
 * The alignment is a longest common subsequence, as in diff(1).
 */
import type { Level, SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { t } from '../messages/catalogue.ts';
import { captionOf } from './caption.ts';
import { kernelChips } from './kernel-chips.ts';
import { isShownAt } from './levels.ts';
import type { Placed } from './order.ts';
import { shortSummary } from './requests.ts';
import type { RunModel } from './run-model.ts';
import { sizeWords } from './time-words.ts';

export interface ComparedStep {
  readonly words: string;
  /** The step in each run; null where that run has none. */
  readonly left: Placed | null;
  readonly right: Placed | null;
}

export interface ComparedFact {
  readonly name: string;
  readonly left: string;
  readonly right: string;
}

/** Two long runs would take a table of millions; of such only the beginnings are aligned. */
const STEPS_COMPARED = 1_200;

export const compareSteps = (
  left: RunModel,
  right: RunModel,
  level: Level,
): readonly ComparedStep[] => {
  const a = stepsOf(left, level);
  const b = stepsOf(right, level);
  const steps: ComparedStep[] = [];
  let i = 0;
  let j = 0;
  for (const [atA, atB] of commonSubsequence(a, b)) {
    while (i < atA) steps.push(only(a[i++], left, 'left'));
    while (j < atB) steps.push(only(b[j++], right, 'right'));
    const placed = a[i++]?.placed ?? null;
    const other = b[j++]?.placed ?? null;
    steps.push({ words: placed ? captionOf(placed.event, left) : '', left: placed, right: other });
  }
  while (i < a.length) steps.push(only(a[i++], left, 'left'));
  while (j < b.length) steps.push(only(b[j++], right, 'right'));
  return steps;
};

/** What is different at the end. */
export const compareEnds = (left: RunModel, right: RunModel): readonly ComparedFact[] => {
  const a = factsOf(left);
  const b = factsOf(right);
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((name) => ({
      name,
      left: a.get(name) ?? t().compare.none,
      right: b.get(name) ?? t().compare.none,
    }))
    .filter((fact) => fact.left !== fact.right);
};

interface Step {
  readonly key: string;
  readonly placed: Placed;
}

const stepsOf = (model: RunModel, level: Level): readonly Step[] =>
  model.order.placed
    .filter(({ event }) => isShownAt(event, level))
    .slice(0, STEPS_COMPARED)
    .map((placed) => ({ key: keyOf(placed.event), placed }));

function keyOf(event: SequencedEvent): string {
  const { type, emitter } = event;
  const parts = ((): readonly (string | null | undefined)[] => {
    switch (event.type) {
      case 'message':
        return [event.from.actor, event.to.actor, event.direction, event.summary];
      case 'process':
        return [event.actor, event.change, event.exit?.signal ?? String(event.exit?.code ?? '')];
      case 'syscall':
        return [event.caller.actor, event.name, event.title, event.errno];
      case 'spanStarted':
      case 'spanEvent':
        return [event.name];
      case 'spanEnded':
        return [event.status.code];
      default:
        return [];
    }
  })();
  return shortSummary([type, emitter.actor, ...parts].join(' '))
    .replace(/[0-9a-f]{6}…/g, '#')
    .replace(/\b\d+\b/g, '#');
}

function only(step: Step | undefined, model: RunModel, side: 'left' | 'right'): ComparedStep {
  const placed = step?.placed ?? null;
  const words = placed ? captionOf(placed.event, model) : '';
  return side === 'left'
    ? { words, left: placed, right: null }
    : { words, left: null, right: placed };
}

/** Pairs of places, rising in both. */
function commonSubsequence(a: readonly Step[], b: readonly Step[]): readonly [number, number][] {
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const same = a[i]?.key === b[j]?.key;
      longest[i * width + j] = same
        ? (longest[(i + 1) * width + j + 1] ?? 0) + 1
        : Math.max(longest[(i + 1) * width + j] ?? 0, longest[i * width + j + 1] ?? 0);
    }
  }
  const pairs: [number, number][] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i]?.key === b[j]?.key) pairs.push([i++, j++]);
    else if ((longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return pairs;
}

/** Inode numbers are left out: no two containers share them. */
function factsOf(model: RunModel): ReadonlyMap<string, string> {
  const words = t().compare;
  const machine = model.machineAt(model.length);
  const facts = new Map<string, string>();
  for (const { key, label, value } of kernelChips(machine))
    facts.set(label, key.startsWith('ns-') ? words.own : value || words.made);
  for (const [file, value] of Object.entries(machine.cgroup.files))
    facts.set(file.slice(file.lastIndexOf('/') + 1), value);
  for (const actor of ['docker', 'client', 'container'] as const) {
    const process = machine.processes[String(machine.current[actor] ?? '')];
    if (process?.exit)
      facts.set(
        words.actorEnded(t().actors[actor]),
        process.exit.signal ??
          (process.exit.code === null ? words.notSeen : t().status.exit(process.exit.code)),
      );
  }
  facts.set(words.output, sizeWords(machine.outputBytes));
  return facts;
}
