/**
 * Where everything stands. Four lanes, one for each failure domain, that never move, and fixed places in them.
 * All of it in pixels of the stage, so that text is never scaled. The roads between the places: `roads.ts`.
 */
import type { FailureDomain, StageActor } from '../model/actors.ts';
import { layoutColumns, rowsOf, type Columns } from './columns.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Lane extends Box {
  readonly domain: FailureDomain;
}

export interface StageLayout {
  readonly width: number;
  readonly height: number;
  readonly lanes: readonly Lane[];
  /** By `placeOf`. */
  readonly boxes: ReadonlyMap<string, Box>;
  /** Null where a run has one container: then it has the whole lane. */
  readonly columns: Columns | null;
  /** Too low for second lines on the nodes. */
  readonly isTight: boolean;
}

const DOMAINS: readonly FailureDomain[] = ['you', 'daemons', 'container', 'kernel'];
const SHARES = [0.21, 0.245, 0.245, 0.3];
/** Three processes below one another take more room. */
const SHARES_WITH_COLUMNS = [0.16, 0.2, 0.4, 0.24];

const LABEL_ROOM = 23;
const LANE_PADDING = 7;
/** On a projector everything grows. */
const TALLEST_NODE = 0.13;

const IN_COLUMN: readonly StageActor[] = ['shim', 'runc', 'container'];

/** The name of a place: an actor's, or of several containers this one's. */
export const placeOf = (
  { columns }: Pick<StageLayout, 'columns'>,
  actor: StageActor,
  containerId: string | null,
): string => {
  if (!columns || !IN_COLUMN.includes(actor)) return actor;
  const known = columns.shown.find(({ id }) => id === containerId);
  if (known) return columnPlace(actor, known.id);
  return columns.rest ? REST_PLACE : columnPlace(actor, columns.shown[0]?.id ?? '');
};

/** Where everything of the containers is that have no column. */
export const REST_PLACE = 'rest';

/** Beside the daemons: the layers that containerd keeps. */
export const LAYERS_PLACE = 'layers';

export const columnPlace = (part: StageActor | 'head', id: string): string => `${part}-${id}`;

const NOWHERE: Box = { x: 0, y: 0, width: 0, height: 0 };

export const boxOf = ({ boxes }: StageLayout, place: string): Box => boxes.get(place) ?? NOWHERE;

export const layoutStage = (
  width: number,
  height: number,
  containers: readonly string[] = [],
  focus: string | null = null,
): StageLayout => {
  const hasColumns = containers.length > 1;
  let y = 0;
  const lanes = DOMAINS.map((domain, index) => {
    const share = (hasColumns ? SHARES_WITH_COLUMNS : SHARES)[index] ?? 0;
    const lane = { domain, x: 0, y, width, height: share * height };
    y += lane.height;
    return lane;
  });
  const [you, daemons, container, kernel] = lanes as [Lane, Lane, Lane, Lane];
  const margin = Math.max(20, width * 0.035);
  const nodeWidth = Math.max(150, Math.min(360, width * 0.265));
  const nodeHeight = Math.min(
    Math.max(74, height * TALLEST_NODE),
    daemons.height - LABEL_ROOM - LANE_PADDING,
  );
  const left = margin;
  const right = width - margin - nodeWidth;
  const middle = (left + right) / 2;
  const inLane = (lane: Lane, x: number): Box => {
    const room = lane.height - LABEL_ROOM - LANE_PADDING;
    const tall = Math.min(nodeHeight, room);
    return { x, y: lane.y + LABEL_ROOM + (room - tall) / 2, width: nodeWidth, height: tall };
  };
  const across = (lane: Lane): Box => ({
    x: left,
    y: lane.y + LABEL_ROOM,
    width: width - 2 * margin,
    height: lane.height - LABEL_ROOM - LANE_PADDING,
  });
  const boxes = new Map<string, Box>([
    ['docker', inLane(you, left)],
    ['client', inLane(you, right)],
    [LAYERS_PLACE, { ...across(daemons), width: nodeWidth }],
    ['dockerd', inLane(daemons, middle)],
    ['containerd', inLane(daemons, right)],
    ['kernel', across(kernel)],
  ]);
  const columns = hasColumns ? layoutColumns(across(container), containers, focus) : null;
  for (const { id, box } of columns?.shown ?? []) {
    const rows = rowsOf(box);
    for (const [index, part] of (['head', ...IN_COLUMN] as const).entries())
      boxes.set(columnPlace(part, id), rows[index] ?? NOWHERE);
  }
  if (columns?.rest) boxes.set(REST_PLACE, columns.rest.box);
  if (!columns) {
    boxes.set('shim', inLane(container, right));
    boxes.set('runc', inLane(container, middle));
    boxes.set('container', inLane(container, left));
  }
  return {
    width,
    height,
    lanes,
    boxes,
    columns,
    isTight: Math.min(nodeHeight, you.height - LABEL_ROOM - LANE_PADDING) < 46,
  };
};
