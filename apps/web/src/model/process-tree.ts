/**
 * Who is whose child at the playhead, as far as the trace has told: the living, and who died in the present step.
 * Compared with the step before, each is born, dead, re-parented, or become another program.
 */
import type { Machine, ProcessView } from './machine.ts';

export type TreeChange = 'born' | 'died' | 'moved' | 'became';

export interface TreeRow {
  readonly process: ProcessView;
  /** From 1. */
  readonly depth: number;
  readonly change: TreeChange | null;
  /** The parent before, when it has moved. */
  readonly formerParent: number | null;
  readonly hasChildren: boolean;
}

/** Rows from top to bottom, parents before their children. */
export const processTree = (now: Machine, before: Machine): readonly TreeRow[] => {
  const shown = Object.values(now.processes).filter(
    (process) => process.exit === null || changeOf(process, before) === 'died',
  );
  const pids = new Set(shown.map(({ pid }) => pid));
  const childrenOf = new Map<number, ProcessView[]>();
  const roots: ProcessView[] = [];
  for (const process of shown.sort((a, b) => a.pid - b.pid)) {
    const { ppid, pid } = process;
    if (ppid === null || !pids.has(ppid) || isAncestor(now, pid, ppid)) roots.push(process);
    else childrenOf.set(ppid, [...(childrenOf.get(ppid) ?? []), process]);
  }
  const rows: TreeRow[] = [];
  const put = (process: ProcessView, depth: number): void => {
    const children = childrenOf.get(process.pid) ?? [];
    const change = changeOf(process, before);
    const known = before.processes[String(process.pid)];
    rows.push({
      process,
      depth,
      change,
      formerParent: change === 'moved' ? (known?.ppid ?? null) : null,
      hasChildren: children.length > 0,
    });
    for (const child of children) put(child, depth + 1);
  };
  for (const root of roots) put(root, 1);
  return rows;
};

function changeOf(process: ProcessView, before: Machine): TreeChange | null {
  const known = before.processes[String(process.pid)];
  if (process.exit) return known?.exit ? null : 'died';
  // Who was there before the trace spoke of it is no newborn.
  if (!known) return process.bornAt === null ? null : 'born';
  if (known.ppid !== null && known.ppid !== process.ppid) return 'moved';
  return known.execAt === process.execAt ? null : 'became';
}

/** A damaged trace may make two processes each other's parent. */
function isAncestor({ processes }: Machine, pid: number, ppid: number): boolean {
  const seen = new Set<number>();
  for (let at: number | null = ppid; at !== null && !seen.has(at);) {
    if (at === pid) return true;
    seen.add(at);
    at = processes[String(at)]?.ppid ?? null;
  }
  return false;
}
