/** A seam between two actors, drawn by its kind: solid for sockets, dotted for exec, thin for system calls. */
import { EdgeLabelRenderer, type EdgeProps } from 'reactflow';
import { domainOf, type StageActor } from '../model/actors.ts';
import type { Point } from './layout.ts';
import { halfway, pathOf } from './roads.ts';

interface RoadData extends Record<string, unknown> {
  readonly points: readonly Point[];
  readonly label: string;
  readonly kind: string;
  /** Who is sending over it right now. */
  readonly litBy: StageActor | null;
}

export const RoadEdge = ({ id, data }: EdgeProps & { data?: RoadData }) => {
  if (!data) return null;
  const { points, label, kind, litBy } = data;
  const { x, y } = halfway(points);
  return (
    <>
      <path
        id={id}
        className="road"
        d={pathOf(points)}
        data-kind={kind}
        data-lit={litBy !== null}
        data-domain={litBy ? domainOf(litBy) : undefined}
      />
      {litBy === null && kind !== 'syscall' && label !== '' && (
        <EdgeLabelRenderer>
          <span
            className="road-label"
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {label}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
};
