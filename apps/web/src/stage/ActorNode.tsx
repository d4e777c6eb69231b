/** One actor on the stage: glyph, name, real pid, what it does now. A ghost before its birth and after its death. */
import type { NodeProps } from 'reactflow';
import { factsOf, type StageActor } from '../model/actors.ts';
import { statusOf } from '../model/actor-status.ts';
import { labelIn } from '../model/swapped.ts';
import { useMachine, useReader } from '../hooks.ts';
import { select } from '../reader-store.ts';
import type { Column } from './columns.ts';
import { Handles } from './Handles.tsx';
import { KernelChips } from './KernelChips.tsx';
import { StatusMark } from './StatusMark.tsx';

interface ActorNodeData extends Record<string, unknown> {
  readonly place: string;
  readonly actor: StageActor;
  readonly containerId: string | null;
  readonly isTight: boolean;
  /** In a column: how much of it there is room for. */
  readonly detail: Column['detail'] | null;
  readonly isFocusable: boolean;
}

export const ActorNode = ({ data }: NodeProps & { data: ActorNodeData }) => {
  const { place, actor, containerId, isTight, detail, isFocusable } = data;
  const machine = useMachine(containerId);
  const isSelected = useReader(
    ({ selected }) =>
      selected !== null &&
      'actor' in selected &&
      selected.actor === actor &&
      (selected.containerId ?? null) === containerId,
  );
  const facts = factsOf(actor);
  const status = statusOf(machine, actor);
  const isRow = detail !== null;
  return (
    <>
      <Handles />
      <div
        className="actor"
        data-domain={facts?.domain}
        data-status={status.kind}
        data-actor={actor}
        data-detail={detail ?? undefined}
        data-selected={isSelected}
        data-tight={isTight || undefined}
      >
        <button
          type="button"
          tabIndex={isFocusable ? 0 : -1}
          data-place={place}
          aria-pressed={isSelected}
          onClick={() => select({ actor, containerId })}
        >
          <span className="actor-name">
            <span aria-hidden="true" className="actor-glyph">
              {facts?.glyph}
            </span>
            <span className={detail === 'sign' ? 'sr-only' : 'actor-label'}>
              {labelIn(machine, actor)}
            </span>
            {(isTight || isRow) && <StatusMark kind={status.kind} />}
            {(isRow ? detail === 'whole' : !isTight) && status.process && (
              <span className="actor-pid mono">pid {status.process.pid}</span>
            )}
          </span>
          {!isTight && !isRow && (
            <span className="actor-line mono">
              <StatusMark kind={status.kind} />
              {status.words}
            </span>
          )}
          {isRow && <span className="sr-only">, {status.words}</span>}
        </button>
        {actor === 'kernel' && <KernelChips machine={machine} />}
      </div>
    </>
  );
};
