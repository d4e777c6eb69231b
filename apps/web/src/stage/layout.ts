/**
 * Where everything stands. Four lanes, one for each failure domain, that never move; the places in them, fixed by
 * hand; and the roads between the places. All of it in pixels of the stage, so that text is never scaled.
 */
import type { FailureDomain, StageActor } from '../model/actors.ts';

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
  readonly label: string;
}

export interface StageLayout {
  readonly width: number;
  readonly height: number;
  readonly lanes: readonly Lane[];
  readonly boxes: Readonly<Record<StageActor, Box>>;
  /** Too low for second lines on the nodes. */
  readonly isTight: boolean;
}

const LANES: readonly (readonly [FailureDomain, string, number])[] = [
  ['you', 'you', 0.21],
  ['daemons', 'daemons: may restart', 0.245],
  ['container', 'per container: must survive', 0.245],
  ['kernel', 'kernel', 0.3],
];

const LABEL_ROOM = 23;
const LANE_PADDING = 7;
/** On a projector everything grows. */
const TALLEST_NODE = 0.13;

export const layoutStage = (width: number, height: number): StageLayout => {
  let y = 0;
  const lanes = LANES.map(([domain, label, share]) => {
    const lane = { domain, label, x: 0, y, width, height: share * height };
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
  const inLane = (lane: Lane, x: number, nodeW = nodeWidth): Box => {
    const room = lane.height - LABEL_ROOM - LANE_PADDING;
    const tall = Math.min(nodeHeight, room);
    return { x, y: lane.y + LABEL_ROOM + (room - tall) / 2, width: nodeW, height: tall };
  };
  return {
    width,
    height,
    lanes,
    isTight: Math.min(nodeHeight, you.height - LABEL_ROOM - LANE_PADDING) < 46,
    boxes: {
      docker: inLane(you, left),
      client: inLane(you, right),
      dockerd: inLane(daemons, middle),
      containerd: inLane(daemons, right),
      shim: inLane(container, right),
      runc: inLane(container, middle),
      container: inLane(container, left),
      kernel: {
        x: left,
        y: kernel.y + LABEL_ROOM,
        width: width - 2 * margin,
        height: kernel.height - LABEL_ROOM - LANE_PADDING,
      },
    },
  };
};

const centre = ({ x, y, width, height }: Box): Point => ({ x: x + width / 2, y: y + height / 2 });

/** Roads that are always there. `kind` decides how the line looks. */
export const ROADS: readonly {
  readonly from: StageActor;
  readonly to: StageActor;
  readonly label: string;
  readonly kind: string;
}[] = [
  { from: 'docker', to: 'dockerd', label: 'HTTP', kind: 'http' },
  { from: 'dockerd', to: 'containerd', label: 'gRPC', kind: 'grpc' },
  { from: 'client', to: 'containerd', label: 'gRPC', kind: 'grpc' },
  { from: 'containerd', to: 'shim', label: 'ttrpc', kind: 'ttrpc' },
  { from: 'shim', to: 'runc', label: 'exec', kind: 'exec' },
  { from: 'runc', to: 'container', label: 'clone', kind: 'exec' },
  { from: 'runc', to: 'kernel', label: 'syscall', kind: 'syscall' },
  { from: 'container', to: 'kernel', label: 'syscall', kind: 'syscall' },
  { from: 'shim', to: 'kernel', label: 'syscall', kind: 'syscall' },
];

/** The way from one actor to another, corner by corner; the same line back when it goes the other way. */
export const roadBetween = (
  layout: StageLayout,
  from: StageActor,
  to: StageActor,
): readonly Point[] => {
  const forward = knownRoad(layout, from, to);
  if (forward) return forward;
  const back = knownRoad(layout, to, from);
  if (back) return [...back].reverse();
  return [
    edgePoint(layout.boxes[from], centre(layout.boxes[to])),
    edgePoint(layout.boxes[to], centre(layout.boxes[from])),
  ];
};

function knownRoad(
  { boxes }: StageLayout,
  from: StageActor,
  to: StageActor,
): readonly Point[] | null {
  const a = boxes[from];
  const b = boxes[to];
  if (from === 'docker' && to === 'dockerd') {
    const corner = { x: centre(b).x, y: centre(a).y };
    return [{ x: a.x + a.width, y: corner.y }, corner, { x: corner.x, y: b.y }];
  }
  if (to === 'kernel') {
    const x = a.x + a.width * 0.5;
    return [
      { x, y: a.y + a.height },
      { x, y: b.y },
    ];
  }
  if (from === 'container' && to === 'shim') {
    const y = a.y + a.height + 12;
    const start = a.x + a.width * 0.8;
    const end = b.x + b.width * 0.2;
    return [
      { x: start, y: a.y + a.height },
      { x: start, y },
      { x: end, y },
      { x: end, y: b.y + b.height },
    ];
  }
  return ROADS.some((road) => road.from === from && road.to === to)
    ? [edgePoint(a, centre(b)), edgePoint(b, centre(a))]
    : null;
}

/** Where the line from a box's middle to a point leaves the box: on a side when they stand in a row, else above or below. */
function edgePoint(box: Box, towards: Point): Point {
  const from = centre(box);
  const isBeside = Math.abs(towards.y - from.y) < box.height;
  if (isBeside) return { x: towards.x > from.x ? box.x + box.width : box.x, y: from.y };
  return { x: from.x, y: towards.y > from.y ? box.y + box.height : box.y };
}

/** An arc from the child up and over to its parent, inside the lane's label room. */
export const tetherPath = (
  { boxes }: StageLayout,
  child: StageActor,
  parent: StageActor,
): string => {
  const a = boxes[child];
  const b = boxes[parent];
  const fromRight = b.x > a.x;
  const x1 = a.x + a.width * (fromRight ? 0.72 : 0.28);
  const x2 = b.x + b.width * (fromRight ? 0.14 : 0.86);
  const isBelow = b.y + b.height < a.y;
  const y2 = isBelow ? b.y + b.height : b.y;
  const top = isBelow ? (a.y + y2) / 2 : Math.min(a.y, b.y) - 14;
  return `M ${r(x1)} ${r(a.y)} C ${r(x1)} ${r(top)} ${r(x2)} ${r(top)} ${r(x2)} ${r(y2)}`;
};

const r = (value: number): number => Math.round(value * 10) / 10;

export const pathOf = (points: readonly Point[]): string =>
  points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'} ${r(x)} ${r(y)}`).join(' ');

/** Corners with the share of the whole way at which they are reached. */
export const milestones = (
  points: readonly Point[],
): readonly (Point & { readonly share: number })[] => {
  const lengths = points.map((point, index) => {
    const before = points[index - 1];
    return before ? Math.hypot(point.x - before.x, point.y - before.y) : 0;
  });
  const whole = lengths.reduce((sum, length) => sum + length, 0) || 1;
  let gone = 0;
  return points.map((point, index) => {
    gone += lengths[index] ?? 0;
    return { ...point, share: gone / whole };
  });
};

/** The point halfway along. */
export const halfway = (points: readonly Point[]): Point => {
  const stones = milestones(points);
  const after = stones.findIndex(({ share }) => share >= 0.5);
  const b = stones[after] ?? { x: 0, y: 0, share: 1 };
  const a = stones[after - 1] ?? b;
  const share = b.share === a.share ? 0 : (0.5 - a.share) / (b.share - a.share);
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
};
