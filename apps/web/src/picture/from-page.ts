/**
 * A part of the page as shapes: what its boxes, lines and texts look like right now, measured and not drawn anew, so
 * that the picture is what one sees. Only what our style sheets use is understood.
 */
import { linesOf } from './text-lines.ts';
import { colourOf, type Matrix, type RectShape, type Shape } from './shapes.ts';

interface Around {
  readonly opacity: number;
  readonly z: number;
  /** What lies outside is cut off. */
  readonly clip: DOMRect | null;
}

interface Found {
  readonly z: number;
  readonly shape: Shape;
}

/** Shapes from back to front; the root's corner is their origin. */
export const shapesOf = (root: Element): readonly Shape[] => {
  const { left, top } = root.getBoundingClientRect();
  const found: Found[] = [];
  visit(root, { opacity: 1, z: 0, clip: null }, { x: left, y: top }, found);
  return found.sort((a, b) => a.z - b.z).map(({ shape }) => shape);
};

function visit(
  element: Element,
  around: Around,
  origin: { readonly x: number; readonly y: number },
  found: Found[],
): void {
  const style = getComputedStyle(element);
  const opacity = around.opacity * Number(style.opacity);
  const isUnseen = style.display === 'none' || style.visibility === 'hidden' || opacity === 0;
  // What is for screen readers alone.
  if (isUnseen || style.clipPath.startsWith('inset(50%')) return;
  const z = style.zIndex === 'auto' ? around.z : Number(style.zIndex);
  const box = element.getBoundingClientRect();
  const put = (...shapes: readonly Shape[]): void => {
    for (const shape of shapes) found.push({ z, shape });
  };
  if (element instanceof SVGGeometryElement) {
    put(...geometry(element, style, opacity, origin));
  } else if (element instanceof HTMLElement && touches(box, around.clip)) {
    put(...boxShapes(style, box, opacity, origin));
    for (const node of element.childNodes)
      if (node instanceof Text) put(...linesOf(node, style, { ...around, opacity, origin }));
  }
  const clip = style.overflowX === 'hidden' && box.width > 0 ? box : around.clip;
  for (const child of element.children) visit(child, { opacity, z, clip }, origin, found);
}

const touches = (box: DOMRect, clip: DOMRect | null): boolean =>
  clip === null ||
  (box.right > clip.left &&
    box.left < clip.right &&
    box.bottom > clip.top &&
    box.top < clip.bottom);

const SIDES = ['Top', 'Right', 'Bottom', 'Left'] as const;

const dashOf = (style: string, width: number): readonly number[] =>
  style === 'dashed' ? [3 * width, 2 * width] : style === 'dotted' ? [width, width] : [];

function boxShapes(
  style: CSSStyleDeclaration,
  box: DOMRect,
  opacity: number,
  origin: { readonly x: number; readonly y: number },
): readonly Shape[] {
  if (box.width === 0 || box.height === 0) return [];
  const { width, height } = box;
  const x = box.left - origin.x;
  const y = box.top - origin.y;
  const radius = Math.min(
    style.borderTopLeftRadius.endsWith('%')
      ? Infinity
      : Number.parseFloat(style.borderTopLeftRadius),
    box.width / 2,
    box.height / 2,
  );
  const rect = (out: number, paint: Partial<Shape>): Shape => ({
    kind: 'rect',
    x: x - out,
    y: y - out,
    width: box.width + 2 * out,
    height: box.height + 2 * out,
    radius: Math.max(0, radius + out),
    opacity,
    fill: null,
    stroke: null,
    strokeWidth: 0,
    dash: [],
    ...(paint as object),
  });
  const shapes: Shape[] = [];
  const ring = /^(.+\)) 0px 0px 0px ([\d.]+)px$/.exec(style.boxShadow);
  if (ring) {
    const width = Number(ring[2]);
    shapes.push(rect(width / 2, { stroke: colourOf(ring[1] ?? ''), strokeWidth: width }));
  }
  const fill = colourOf(style.backgroundColor);
  if (fill) shapes.push(rect(0, { fill }));
  const borders = SIDES.map((side) => ({
    width:
      style[`border${side}Style`] === 'none' ? 0 : Number.parseFloat(style[`border${side}Width`]),
    colour: colourOf(style[`border${side}Color`]),
    style: style[`border${side}Style`],
  }));
  const [first] = borders;
  const isEven = borders.every(
    (each) => each.width === first?.width && each.colour === first.colour,
  );
  if (first && isEven && first.width > 0)
    shapes.push(
      rect(-first.width / 2, {
        stroke: first.colour,
        strokeWidth: first.width,
        dash: dashOf(first.style, first.width),
      }),
    );
  else
    shapes.push(
      ...borders.flatMap((border, side) => sideOf(border, side, { x, y, width, height, opacity })),
    );
  const outline = Number.parseFloat(style.outlineWidth);
  if (style.outlineStyle === 'solid' && outline > 0 && style.position === 'absolute')
    shapes.push(rect(outline / 2, { stroke: colourOf(style.outlineColor), strokeWidth: outline }));
  return shapes;
}

function sideOf(
  border: { readonly width: number; readonly colour: string | null; readonly style: string },
  side: number,
  { x, y, width, height, opacity }: Pick<RectShape, 'x' | 'y' | 'width' | 'height' | 'opacity'>,
): readonly Shape[] {
  if (border.width === 0 || border.colour === null) return [];
  const half = border.width / 2;
  const d = [
    `M ${x} ${y + half} h ${width}`,
    `M ${x + width - half} ${y} v ${height}`,
    `M ${x} ${y + height - half} h ${width}`,
    `M ${x + half} ${y} v ${height}`,
  ][side];
  return [
    {
      kind: 'path',
      d: d ?? '',
      matrix: [1, 0, 0, 1, 0, 0],
      opacity,
      fill: null,
      stroke: border.colour,
      strokeWidth: border.width,
      dash: dashOf(border.style, border.width),
    },
  ];
}

function geometry(
  element: SVGGeometryElement,
  style: CSSStyleDeclaration,
  opacity: number,
  origin: { readonly x: number; readonly y: number },
): readonly Shape[] {
  const d = element.getAttribute('d');
  const at = element.getScreenCTM();
  if (d === null || at === null) return [];
  const matrix: Matrix = [at.a, at.b, at.c, at.d, at.e - origin.x, at.f - origin.y];
  const stroke = style.stroke === 'none' ? null : colourOf(style.stroke);
  return [
    {
      kind: 'path',
      d,
      matrix,
      opacity,
      fill: style.fill === 'none' ? null : colourOf(style.fill),
      stroke,
      strokeWidth: stroke ? Number.parseFloat(style.strokeWidth) : 0,
      dash: (style.strokeDasharray.match(/[\d.]+/g) ?? []).map(Number),
    },
  ];
}
