/** The head of a container's column: which it is and how it is. Pressed, it has the room; pressed again, all are alike. */
import type { NodeProps } from 'reactflow';
import { t } from '../messages/catalogue.ts';
import { containersOf, shortId } from '../model/containers.ts';
import { useModelVersion, usePlayhead, useReader } from '../hooks.ts';
import { toggleFocus } from '../reader-store.ts';
import type { Column } from './columns.ts';
import { Handles } from './Handles.tsx';

interface ColumnHeadData extends Record<string, unknown> {
  readonly place: string;
  readonly containerId: string;
  readonly detail: Column['detail'];
  readonly isFocusable: boolean;
}

export const ColumnHead = ({ data }: NodeProps & { data: ColumnHeadData }) => {
  const { place, containerId, detail, isFocusable } = data;
  useModelVersion();
  const machine = usePlayhead(({ model, n }) => model.machineAt(n));
  const isFocus = useReader(({ focus }) => focus === containerId);
  const isLatest = machine.latest === containerId;
  const state = containersOf(machine).find(({ id }) => id === containerId)?.state ?? 'unborn';
  const words = t().containers.states[state];
  const id = shortId(containerId);
  return (
    <>
      <Handles />
      <button
        type="button"
        className="column-head"
        tabIndex={isFocusable ? 0 : -1}
        data-place={place}
        data-latest={isLatest}
        aria-pressed={isFocus}
        title={`${id}: ${words}`}
        onClick={() => toggleFocus(containerId)}
      >
        <span className="sr-only">{t().containers.one} </span>
        <span className="mono">
          {detail === 'sign' ? id.slice(0, 4) : detail === 'name' ? id.slice(0, 8) : id}
        </span>{' '}
        <span className={detail === 'whole' ? 'column-state' : 'sr-only'}>{words}</span>
      </button>
    </>
  );
};
