/** The process tree at the playhead, as `ps --forest` would show it, with what the present step changed in it. */
import '../styles/process-tree.css';
import { useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import { t } from '../messages/catalogue.ts';
import { domainOf, labelOf } from '../model/actors.ts';
import { processTree, type TreeRow } from '../model/process-tree.ts';
import { useModelVersion, usePlayhead } from '../hooks.ts';
import { select } from '../reader-store.ts';

export const ProcessTree = () => {
  const version = useModelVersion();
  const model = usePlayhead((state) => state.model);
  const n = usePlayhead((state) => state.n);
  const beforeStep = usePlayhead(({ level, step }) => model.steps(level).keyOf(step) ?? 0);
  const [focused, setFocused] = useState<number | null>(null);
  const tree = useRef<HTMLUListElement>(null);
  const rows = useMemo(() => {
    void version;
    return processTree(model.machineAt(n), model.machineAt(beforeStep));
  }, [model, version, n, beforeStep]);
  const at = Math.max(
    0,
    rows.findIndex(({ process }) => process.pid === focused),
  );

  const onKeyDown = (event: KeyboardEvent): void => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    const row = rows[at];
    if (event.key === 'Enter' && row) select({ event: row.process.toldBy });
    else if (to === undefined) return;
    else {
      const next = Math.max(0, Math.min(rows.length - 1, to));
      setFocused(rows[next]?.process.pid ?? null);
      tree.current?.querySelectorAll('li')[next]?.focus();
    }
    event.preventDefault();
  };

  const onClick = ({ target }: MouseEvent): void => {
    const row = target instanceof Element ? target.closest<HTMLElement>('[data-event]') : null;
    if (row?.dataset['event'] !== undefined) select({ event: row.dataset['event'] });
  };

  if (rows.length === 0) return <p className="empty">{t().tree.none}</p>;
  return (
    <ul
      ref={tree}
      className="process-tree"
      role="tree"
      aria-label={t().tree.label}
      data-own-arrows
      onKeyDown={onKeyDown}
      onClick={onClick}
    >
      {rows.map((row, index) => {
        const { process, depth, change } = row;
        return (
          <li
            key={process.pid}
            role="treeitem"
            aria-level={depth}
            {...(row.hasChildren ? { 'aria-expanded': true } : {})}
            aria-selected={index === at}
            tabIndex={index === at ? 0 : -1}
            data-change={change ?? undefined}
            data-domain={process.actor === 'lab' ? undefined : domainOf(process.actor)}
            onFocus={() => setFocused(process.pid)}
            data-event={process.toldBy}
          >
            <span className="mono tree-branch" aria-hidden="true">
              {'   '.repeat(depth - 1)}
              {depth > 1 ? '└─ ' : ''}
            </span>
            <span className="mono tree-pid">{process.pid}</span>
            <b>{labelOf(process.actor)}</b>
            <span className="mono tree-argv">{process.argv.join(' ') || process.name}</span>
            <span className="tree-change">{changeWords(row)}</span>
          </li>
        );
      })}
    </ul>
  );
};

function changeWords({ change, formerParent, process }: TreeRow): string {
  switch (change) {
    case 'born':
      return t().tree.born;
    case 'died':
      return `− ${process.exit?.signal ?? t().status.exit(process.exit?.code ?? t().status.notSeen)}`;
    case 'moved':
      return t().tree.moved(String(formerParent ?? '?'), String(process.ppid ?? '?'));
    case 'became':
      return '» execve';
    case null:
      return process.joined ? t().tree.joined : '';
  }
}
