/**
 * Where: the actors in four failure domains, and what travels between them. React Flow holds nodes and edges;
 * nothing can be dragged, connected or zoomed, because the places carry meaning.
 */
import 'reactflow/dist/base.css';
import { ReactFlow, ViewportPortal, type Edge, type Node } from 'reactflow';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { StageActor } from '../model/actors.ts';
import { useCast } from '../hooks.ts';
import { ActorNode } from './ActorNode.tsx';
import { Lanes } from './Lanes.tsx';
import { layoutStage, ROADS, roadBetween } from './layout.ts';
import { RoadEdge } from './RoadEdge.tsx';
import { useRovingFocus } from './roving-focus.ts';
import { Tethers } from './Tethers.tsx';
import { Tokens } from './Tokens.tsx';
import { useJourneys } from './use-journeys.ts';

const NODE_TYPES = { actor: ActorNode };
const EDGE_TYPES = { road: RoadEdge };
const VIEWPORT = { x: 0, y: 0, zoom: 1 };
/** React Flow's own words speak of deleting and moving, which nobody can do here. */
const ARIA_WORDS = { 'node.a11yDescription.default': '', 'edge.a11yDescription.default': '' };

export const Stage = () => {
  const field = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(field);
  const layout = useMemo(() => layoutStage(width, height), [width, height]);
  const journeys = useJourneys();
  const roving = useRovingFocus();
  const cast = useCast();
  const isOnStage = useCallback(
    (actor: StageActor) => cast.some((facts) => facts.actor === actor),
    [cast],
  );

  const nodes = useMemo<Node[]>(
    () =>
      cast.map(({ actor }) => {
        const { x, y, width: w, height: h } = layout.boxes[actor];
        return {
          id: actor,
          type: 'actor',
          position: { x, y },
          width: w,
          height: h,
          style: { width: w, height: h },
          data: { actor, isTight: layout.isTight, isFocusable: roving.focusable === actor },
        };
      }),
    [layout, cast, roving.focusable],
  );
  const edges = useMemo<Edge[]>(
    () =>
      ROADS.filter(({ from }) => isOnStage(from)).map(({ from, to, label, kind }) => {
        const busy = journeys.find(
          (trip) =>
            (trip.from === from && trip.to === to) || (trip.from === to && trip.to === from),
        );
        return {
          id: `${from}-${to}`,
          source: from,
          target: to,
          type: 'road',
          data: {
            points: roadBetween(layout, from, to),
            label,
            kind,
            litBy: busy?.from ?? null,
            isQuiet: busy !== undefined,
          },
        };
      }),
    [layout, journeys, isOnStage],
  );

  return (
    <div ref={field} className="stage-field" onKeyDown={roving.onKeyDown} onFocus={roving.onFocus}>
      {width > 0 && (
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          viewport={VIEWPORT}
          onViewportChange={ignore}
          ariaLabelConfig={ARIA_WORDS}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          panOnDrag={false}
          panOnScroll={false}
          zoomOnScroll={false}
          zoomOnPinch={false}
          zoomOnDoubleClick={false}
          preventScrolling={false}
          disableKeyboardA11y
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={null}
          panActivationKeyCode={null}
          zoomActivationKeyCode={null}
          proOptions={PRO_OPTIONS}
        >
          <ViewportPortal>
            <Lanes layout={layout} />
            <Tethers layout={layout} />
            <Tokens layout={layout} journeys={journeys} />
          </ViewportPortal>
        </ReactFlow>
      )}
    </div>
  );
};

const PRO_OPTIONS = { hideAttribution: true };
const ignore = (): void => undefined;

/** The stage is laid out anew for the room that it has. */
function useSize(ref: React.RefObject<HTMLElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const measure = useCallback((element: Element) => {
    const { width, height } = element.getBoundingClientRect();
    setSize((before) =>
      before.width === width && before.height === height ? before : { width, height },
    );
  }, []);
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => measure(element));
    observer.observe(element);
    measure(element);
    return () => observer.disconnect();
  }, [ref, measure]);
  return size;
}
