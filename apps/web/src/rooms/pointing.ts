/** Between the presenter's pointer and a place that every screen has: the box of an actor, and where in or beside it. */
import type { RoomPoint } from '@engine-room/engine/protocol/room/room.ts';

const BOX = '.stage-field .react-flow__node[data-id]';

const boxes = (): readonly HTMLElement[] => [...document.querySelectorAll<HTMLElement>(BOX)];

export const boxNamed = (name: string): HTMLElement | null =>
  boxes().find(({ dataset }) => dataset['id'] === name) ?? null;

/** Null outside the stage. */
export const pointAt = (x: number, y: number): RoomPoint | null => {
  const field = document.elementFromPoint(x, y)?.closest('.stage-field');
  if (!field) return null;
  const [nearest] = boxes()
    .map((box) => ({ box, rect: box.getBoundingClientRect() }))
    .filter(({ rect }) => rect.width > 0 && rect.height > 0)
    .map(({ box, rect }) => ({ box, rect, far: distance(rect, x, y) }))
    .sort((a, b) => a.far - b.far);
  const name = nearest?.box.dataset['id'];
  if (!nearest || name === undefined) return null;
  const { left, top, width, height } = nearest.rect;
  return { box: name, x: round((x - left) / width), y: round((y - top) / height) };
};

const distance = ({ left, top, right, bottom }: DOMRect, x: number, y: number): number =>
  Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));

const round = (share: number): number => Math.round(share * 1_000) / 1_000;
