/** What one step changed in the machine: the facts that the fold has now and had not before. */
import { t } from '../messages/catalogue.ts';
import { labelOf } from './actors.ts';
import { nameOfProcess, type Machine, type ProcessView } from './machine.ts';
import { shortSummary } from './requests.ts';
import { sizeWords } from './time-words.ts';

export interface Change {
  readonly mark: '+' | '−' | '~';
  readonly words: string;
}

export const stateDiff = (before: Machine, now: Machine): readonly Change[] => [
  ...processChanges(before, now),
  ...recordChanges(before.calls, now.calls, ({ from, to, summary }) =>
    t().changes.waits(from, to, shortSummary(summary)),
  ),
  ...recordChanges(before.openSpans, now.openSpans, ({ actor, name }) =>
    t().changes.works(actor, shortSummary(name)),
  ),
  ...kernelChanges(before, now),
  ...(now.outputBytes > before.outputBytes
    ? [
        {
          mark: '+' as const,
          words: t().changes.output(sizeWords(now.outputBytes - before.outputBytes)),
        },
      ]
    : []),
];

function processChanges(before: Machine, now: Machine): readonly Change[] {
  return Object.values(now.processes).flatMap((process) => {
    const known = before.processes[String(process.pid)];
    return known === process ? [] : aboutProcess(process, known);
  });
}

function aboutProcess(process: ProcessView, known: ProcessView | undefined): readonly Change[] {
  const { pid, actor, exit, ppid, execAt } = process;
  const { changes: words, status } = t();
  const who = `${labelOf(actor)} ${pid}`;
  const changes: Change[] = [];
  if (!known) changes.push({ mark: '+', words: words.process(who) });
  if (known && known.ppid !== ppid)
    changes.push({
      mark: '~',
      words: words.parent(who, String(known.ppid ?? '?'), String(ppid ?? '?')),
    });
  if (execAt !== null && known?.execAt !== execAt)
    changes.push({ mark: '~', words: words.isNow(who, nameOfProcess(process)) });
  if (exit && !known?.exit)
    changes.push({
      mark: '−',
      words: words.exit(who, exit.signal ?? status.exit(exit.code ?? status.notSeen)),
    });
  return changes;
}

function recordChanges<T>(
  before: Readonly<Record<string, T>>,
  now: Readonly<Record<string, T>>,
  wordsOf: (item: T) => string,
): readonly Change[] {
  const came = Object.entries(now).filter(([key]) => !(key in before));
  const went = Object.entries(before).filter(([key]) => !(key in now));
  return [
    ...came.map(([, item]): Change => ({ mark: '+', words: wordsOf(item) })),
    ...went.map(([, item]): Change => ({ mark: '−', words: wordsOf(item) })),
  ];
}

function kernelChanges(before: Machine, now: Machine): readonly Change[] {
  const changes: Change[] = [];
  for (const [kind, inode] of Object.entries(now.namespaces)) {
    if (!(kind in before.namespaces))
      changes.push({ mark: '+', words: t().changes.namespace(kind) });
    else if (before.namespaces[kind] !== inode)
      changes.push({ mark: '~', words: t().changes.namespaceIs(kind, inode ?? '?') });
  }
  for (const [file, value] of Object.entries(now.cgroup.files)) {
    if (before.cgroup.files[file] !== value)
      changes.push({ mark: '~', words: `${file} = ${value}` });
  }
  for (const { object, count } of Object.values(now.kernel)) {
    const more = count - (before.kernel[object]?.count ?? 0);
    if (more > 0) changes.push({ mark: '+', words: `${more} × ${object}` });
  }
  return changes;
}
