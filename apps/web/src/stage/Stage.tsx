/**
 * Where: the actors in four failure domains, each container in a column of its own, and what travels between them. React Flow holds nodes and edges;
 * nothing can be dragged, connected or zoomed, because the places carry meaning.
 */
import 'reactflow/dist/base.css';
import { ReactFlow, ViewportPortal } from 'reactflow';
import { Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { lazy } from '../lazy.ts';
import { useCast, useContainers, usePlayhead, useReader } from '../hooks.ts';
import { ActorNode } from './ActorNode.tsx';
import { ColumnHead } from './ColumnHead.tsx';
import { edgesOf, nodesOf } from './flow.ts';
import { Lanes } from './Lanes.tsx';
import { LayersNode } from './LayerPile.tsx';
import { layoutStage } from './layout.ts';
import { RestNode } from './RestNode.tsx';
import { RoadEdge } from './RoadEdge.tsx';
import { useRovingFocus } from './roving-focus.ts';
import { Tokens } from './Tokens.tsx';
import { useJourneys } from './use-journeys.ts';

/** Before the first step nobody is anybody's child, so what moves a tether is no part of the first load. */
const Tethers = lazy(() =>
  import('./Tethers.tsx').then(({ Tethers: component }) => ({ default: component })),
);

const NODE_TYPES = { actor: ActorNode, head: ColumnHead, rest: RestNode, layers: LayersNode };
const EDGE_TYPES = { road: RoadEdge };
const VIEWPORT = { x: 0, y: 0, zoom: 1 };
/** React Flow's own words speak of deleting and moving, which nobody can do here. */
const ARIA_WORDS = { 'node.a11yDescription.default': '', 'edge.a11yDescription.default': '' };

export const Stage = () => {
  const field = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(field);
  const containers = useContainers();
  const cast = useCast();
  const focus = useReader((state) => state.focus);
  const hasBegun = usePlayhead(({ n }) => n > 0);
  const layout = useMemo(
    () => layoutStage(width, height, containers, focus),
    [width, height, containers, focus],
  );
  const journeys = useJourneys();
  const roving = useRovingFocus();
  // A place that is gone cannot hold the one Tab stop.
  const focusable = layout.boxes.has(roving.focusable) ? roving.focusable : 'docker';
  const nodes = useMemo(() => nodesOf(layout, cast, focusable), [layout, cast, focusable]);
  const edges = useMemo(() => edgesOf(layout, cast, journeys), [layout, cast, journeys]);

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
            {hasBegun && (
              <Suspense>
                <Tethers layout={layout} />
              </Suspense>
            )}
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
