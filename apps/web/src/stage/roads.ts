/** The ways between the places, corner by corner, and what lies along them. */
import type { StageActor } from '../model/actors.ts';
import { boxOf, placeOf, type Box, type Point, type StageLayout } from './layout.ts';

/** Somebody on the stage; of several containers, in this one's column. */
export interface Party {
  readonly actor: StageActor;
  readonly containerId: string | null;
}

export interface Road {
  readonly from: Party;
  readonly to: Party;
  readonly label: string;
  readonly kind: string;
}

/** Roads that are always there. `kind` decides how the line looks. */
const ROADS: readonly (readonly [from: StageActor, to: StageActor, label: string, kind: string])[] =
  [
    ['docker', 'dockerd', 'HTTP', 'http'],
    ['dockerd', 'containerd', 'gRPC', 'grpc'],
    ['client', 'containerd', 'gRPC', 'grpc'],
    ['containerd', 'shim', 'ttrpc', 'ttrpc'],
    ['shim', 'runc', 'exec', 'exec'],
    ['runc', 'container', 'clone', 'exec'],
    ['runc', 'kernel', 'syscall', 'syscall'],
    ['container', 'kernel', 'syscall', 'syscall'],
    ['shim', 'kernel', 'syscall', 'syscall'],
  ];

/** Each of them once, or once in each column; there the label stands on the first only, and what is adjacent needs no line. */
export const roadsOf = ({ columns }: StageLayout): readonly Road[] =>
  ROADS.flatMap(([from, to, label, kind]): readonly Road[] => {
    const isShared = ![from, to].some((actor) => placeOf({ columns }, actor, null) !== actor);
    if (!columns || isShared)
      return [
        {
          from: { actor: from, containerId: null },
          to: { actor: to, containerId: null },
          label,
          kind,
        },
      ];
    if (from !== 'containerd' && !(from === 'container' && to === 'kernel')) return [];
    return columns.shown.map(({ id }, index) => ({
      from: { actor: from, containerId: id },
      to: { actor: to, containerId: id },
      label: index === columns.shown.length - 1 ? label : '',
      kind,
    }));
  });

const centre = ({ x, y, width, height }: Box): Point => ({ x: x + width / 2, y: y + height / 2 });

/** The way from one to another; the same line back when it goes the other way. */
export const roadBetween = (layout: StageLayout, from: Party, to: Party): readonly Point[] => {
  const forward = knownRoad(layout, from, to);
  if (forward) return forward;
  const back = knownRoad(layout, to, from);
  if (back) return [...back].reverse();
  const a = boxAt(layout, from);
  const b = boxAt(layout, to);
  return [edgePoint(a, centre(b)), edgePoint(b, centre(a))];
};

const boxAt = (layout: StageLayout, { actor, containerId }: Party): Box =>
  boxOf(layout, placeOf(layout, actor, containerId));

function knownRoad(layout: StageLayout, from: Party, to: Party): readonly Point[] | null {
  const a = boxAt(layout, from);
  const b = boxAt(layout, to);
  if (from.actor === 'docker' && to.actor === 'dockerd') {
    const corner = { x: centre(b).x, y: centre(a).y };
    return [{ x: a.x + a.width, y: corner.y }, corner, { x: corner.x, y: b.y }];
  }
  if (layout.columns) return roadInColumns(layout, from, to);
  if (to.actor === 'kernel') {
    const x = a.x + a.width * 0.5;
    return [
      { x, y: a.y + a.height },
      { x, y: b.y },
    ];
  }
  if (from.actor === 'container' && to.actor === 'shim') {
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
  return ROADS.some(([start, end]) => start === from.actor && end === to.actor)
    ? [edgePoint(a, centre(b)), edgePoint(b, centre(a))]
    : null;
}

const BUS_BELOW = 4;
const BESIDE = 5;

/** From containerd along one line above all columns; inside a column beside its processes, down to the kernel. */
function roadInColumns(layout: StageLayout, from: Party, to: Party): readonly Point[] | null {
  const a = boxAt(layout, from);
  const b = boxAt(layout, to);
  if (from.actor === 'containerd' && to.actor === 'shim') {
    const head = boxOf(layout, placeOf(layout, to.actor, to.containerId).replace('shim-', 'head-'));
    const start = { x: centre(a).x, y: a.y + a.height };
    const end = { x: centre(head).x, y: head.y };
    const y = start.y + BUS_BELOW;
    return [start, { x: start.x, y }, { x: end.x, y }, end];
  }
  const isInside = a.x === b.x && a.width === b.width;
  if (isInside) {
    const x = a.x + a.width + BESIDE;
    return [
      { x: a.x + a.width, y: centre(a).y },
      { x, y: centre(a).y },
      { x, y: centre(b).y },
      { x: b.x + b.width, y: centre(b).y },
    ];
  }
  if (to.actor !== 'kernel') return null;
  if (from.actor === 'container')
    return [
      { x: centre(a).x, y: a.y + a.height },
      { x: centre(a).x, y: b.y },
    ];
  const x = a.x + a.width + BESIDE;
  return [
    { x: a.x + a.width, y: centre(a).y },
    { x, y: centre(a).y },
    { x, y: b.y },
  ];
}

/** Where the line from a box's middle to a point leaves the box: on a side when they stand in a row, else above or below. */
function edgePoint(box: Box, towards: Point): Point {
  const from = centre(box);
  const isBeside = Math.abs(towards.y - from.y) < box.height;
  if (isBeside) return { x: towards.x > from.x ? box.x + box.width : box.x, y: from.y };
  return { x: from.x, y: towards.y > from.y ? box.y + box.height : box.y };
}

/** An arc from the child to its parent: up and over inside the lane's label room, or along the side of a column. */
export const tetherPath = (layout: StageLayout, child: Party, parent: Party): string => {
  const a = boxAt(layout, child);
  const b = boxAt(layout, parent);
  if (layout.columns && a.x === b.x) {
    const out = a.x - 8;
    return `M ${r(a.x)} ${r(centre(a).y)} C ${r(out)} ${r(centre(a).y)} ${r(out)} ${r(centre(b).y)} ${r(b.x)} ${r(centre(b).y)}`;
  }
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
