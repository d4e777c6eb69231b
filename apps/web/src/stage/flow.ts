/** The layout in React Flow's words: a node for each place, an edge for each road. */
import type { Edge, Node } from 'reactflow';
import type { ActorFacts, StageActor } from '../model/actors.ts';
import type { Journey } from '../model/journeys.ts';
import {
  boxOf,
  columnPlace,
  LAYERS_PLACE,
  placeOf,
  REST_PLACE,
  type StageLayout,
} from './layout.ts';
import { roadBetween, roadsOf, type Road } from './roads.ts';

export const nodesOf = (
  layout: StageLayout,
  cast: readonly ActorFacts[],
  focusable: string,
): Node[] => {
  const { columns, isTight } = layout;
  const node = (place: string, type: string, data: object): Node => {
    const { x, y, width, height } = boxOf(layout, place);
    return {
      id: place,
      type,
      position: { x, y },
      width,
      height,
      style: { width, height },
      data: { place, isTight, isFocusable: focusable === place, ...data },
    };
  };
  const actorNode = (actor: StageActor): Node[] => {
    if (layout.boxes.has(actor))
      return [node(actor, 'actor', { actor, containerId: null, detail: null })];
    return [];
  };
  const shared = cast.flatMap(({ actor }) => actorNode(actor));
  const inColumns = (columns?.shown ?? []).flatMap(({ id, detail }) => [
    node(columnPlace('head', id), 'head', { containerId: id, detail }),
    ...(['shim', 'runc', 'container'] as const).map((actor) =>
      node(columnPlace(actor, id), 'actor', { actor, containerId: id, detail }),
    ),
  ]);
  const layers = isTight ? [] : [node(LAYERS_PLACE, 'layers', {})];
  const rest = columns?.rest ? [node(REST_PLACE, 'rest', { count: columns.rest.count })] : [];
  return [...shared, ...layers, ...inColumns, ...rest];
};

export const edgesOf = (
  layout: StageLayout,
  cast: readonly ActorFacts[],
  journeys: readonly Journey[],
): Edge[] =>
  roadsOf(layout)
    .filter(({ from }) => cast.some(({ actor }) => actor === from.actor))
    .map((road) => {
      const { from, to, label, kind } = road;
      const source = placeOf(layout, from.actor, from.containerId);
      const target = placeOf(layout, to.actor, to.containerId);
      const busy = journeys.find((journey) => goesAlong(journey, road));
      return {
        id: `${source}-${target}`,
        source,
        target,
        type: 'road',
        data: {
          points: roadBetween(layout, from, to),
          label,
          kind,
          litBy: busy?.from ?? null,
        },
      };
    });

const goesAlong = (journey: Journey, { from, to }: Road): boolean => {
  const isPair =
    (journey.from === from.actor && journey.to === to.actor) ||
    (journey.from === to.actor && journey.to === from.actor);
  const containerId = from.containerId ?? to.containerId;
  return isPair && (containerId === null || containerId === journey.containerId);
};
