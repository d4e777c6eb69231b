/** Shapes that a picture has and the page has not. */
import type { Font, PathShape, RectShape, Shape, TextShape } from './shapes.ts';
import { measure } from './text-lines.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}

const PLAIN = { opacity: 1, fill: null, stroke: null, strokeWidth: 1, dash: [] } as const;
const IN_PLACE = [1, 0, 0, 1, 0, 0] as const;

/** `y` is the line that the letters stand on. */
export const text = (words: string, { x, y }: Point, font: Font, fill: string): TextShape => ({
  kind: 'text',
  text: words,
  x,
  baseline: y,
  width: measure(words, font).width,
  font,
  fill,
  opacity: 1,
  isStruck: false,
});

export const line = (
  { x, y }: Point,
  length: number,
  paint: Pick<PathShape, 'stroke'> & Partial<PathShape>,
): PathShape => ({
  ...PLAIN,
  kind: 'path',
  d: `M ${x} ${y} h ${length}`,
  matrix: IN_PLACE,
  ...paint,
});

export const mark = ({ x, y }: Point, d: string, fill: string): PathShape => ({
  ...PLAIN,
  kind: 'path',
  d,
  matrix: [0.86, 0, 0, 0.86, x, y],
  fill,
});

type Box = Pick<RectShape, 'x' | 'y' | 'width' | 'height'>;

export const box = (place: Box, paint: Partial<RectShape>): RectShape => ({
  ...PLAIN,
  kind: 'rect',
  radius: 4,
  ...place,
  ...paint,
});

export const moved = (shape: Shape, dx: number, dy: number): Shape => {
  if (shape.kind === 'text') return { ...shape, x: shape.x + dx, baseline: shape.baseline + dy };
  if (shape.kind === 'rect') return { ...shape, x: shape.x + dx, y: shape.y + dy };
  const [a, b, c, d, e, f] = shape.matrix;
  return { ...shape, matrix: [a, b, c, d, e + dx, f + dy] };
};
