/** One actor on the stage: glyph, name, real pid, what it does now. A ghost before its birth and after its death. */
import { Handle, Position, type NodeProps } from 'reactflow';
import { m } from 'framer-motion';
import type { StageActor } from '../model/actors.ts';
import { statusOf } from '../model/actor-status.ts';
import { labelIn } from '../model/swapped.ts';
import { birth, still } from '../motion.ts';
import { REDUCED_MOTION } from '../breakpoints.ts';
import { useCast, useMedia, useModelVersion, usePlayhead, useReader } from '../hooks.ts';
import { select } from '../reader-store.ts';
import { KernelChips } from './KernelChips.tsx';
import { StatusMark } from './StatusMark.tsx';

interface ActorNodeData extends Record<string, unknown> {
  readonly actor: StageActor;
  readonly isTight: boolean;
  readonly isFocusable: boolean;
}

export const ActorNode = ({ data }: NodeProps & { data: ActorNodeData }) => {
  const { actor, isTight, isFocusable } = data;
  useModelVersion();
  const machine = usePlayhead(({ model, n }) => model.machineAt(n));
  const isSelected = useReader(
    ({ selected }) => selected !== null && 'actor' in selected && selected.actor === actor,
  );
  const cast = useCast();
  const isReduced = useMedia(REDUCED_MOTION);
  const facts = cast.find((each) => each.actor === actor);
  const status = statusOf(machine, actor);
  const isThere = status.kind !== 'unborn' && status.kind !== 'dead';
  return (
    <>
      <Handle
        type="target"
        position={Position.Top}
        isConnectable={false}
        aria-hidden="true"
        tabIndex={-1}
      />
      <m.div
        className="actor"
        data-domain={facts?.domain}
        data-status={status.kind}
        data-actor={actor}
        data-selected={isSelected}
        initial={false}
        animate={{ opacity: isThere ? 1 : 0.72 }}
        transition={isReduced ? still : birth}
      >
        <button
          type="button"
          tabIndex={isFocusable ? 0 : -1}
          data-actor-button={actor}
          aria-pressed={isSelected}
          onClick={() => select({ actor })}
        >
          <span className="actor-name">
            <span aria-hidden="true" className="actor-glyph">
              {facts?.glyph}
            </span>
            <span className="actor-label">{labelIn(machine, actor)}</span>
            {isTight ? (
              <StatusMark kind={status.kind} />
            ) : (
              status.process && <span className="actor-pid mono">pid {status.process.pid}</span>
            )}
          </span>
          {!isTight && (
            <span className="actor-line mono">
              <StatusMark kind={status.kind} />
              {status.words}
            </span>
          )}
        </button>
        {actor === 'kernel' && <KernelChips machine={machine} />}
      </m.div>
      <Handle
        type="source"
        position={Position.Bottom}
        isConnectable={false}
        aria-hidden="true"
        tabIndex={-1}
      />
    </>
  );
};
