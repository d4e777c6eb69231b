/** A picture as an SVG file: lines and texts, no script, nothing from elsewhere. */
import { strikeOf, type Picture, type Shape } from './shapes.ts';

/** Text may come from a container: nothing in it becomes markup, and what XML cannot hold is replaced. */
const escaped = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex -- these are what must not be in an XML file
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');

const n = (value: number): string => String(Math.round(value * 100) / 100);

const attributes = (all: Readonly<Record<string, string | number | null>>): string =>
  Object.entries(all)
    .filter(([, value]) => value !== null)
    .map(
      ([name, value]) =>
        ` ${name}="${typeof value === 'number' ? n(value) : escaped(value ?? '')}"`,
    )
    .join('');

const painted = (shape: Exclude<Shape, { kind: 'text' }>): string =>
  attributes({
    fill: shape.fill ?? 'none',
    stroke: shape.stroke,
    'stroke-width': shape.stroke ? shape.strokeWidth : null,
    'stroke-dasharray': shape.dash.length > 0 ? shape.dash.map(n).join(' ') : null,
    opacity: shape.opacity < 1 ? shape.opacity : null,
  });

const elementOf = (shape: Shape): string => {
  if (shape.kind === 'rect') {
    const { x, y, width, height, radius } = shape;
    return `<rect${attributes({ x, y, width, height, rx: radius })}${painted(shape)}/>`;
  }
  if (shape.kind === 'path') {
    const isMoved = shape.matrix.some((value, index) => value !== [1, 0, 0, 1, 0, 0][index]);
    const transform = isMoved ? `matrix(${shape.matrix.map(n).join(' ')})` : null;
    return `<path${attributes({ d: shape.d, transform })}${painted(shape)}/>`;
  }
  const { text, x, baseline, width, font, fill, opacity, isStruck } = shape;
  const struck = isStruck
    ? `<path${attributes({ d: `M ${n(x)} ${n(strikeOf(shape))} h ${n(width)}`, stroke: fill, opacity })}/>`
    : '';
  return `<text${attributes({
    x,
    y: baseline,
    fill,
    'font-family': font.family,
    'font-size': font.size,
    'font-weight': font.weight,
    textLength: width,
    lengthAdjust: 'spacingAndGlyphs',
    opacity: opacity < 1 ? opacity : null,
    'xml:space': 'preserve',
  })}>${escaped(text)}</text>${struck}`;
};

export const svgOf = (picture: Picture): string => {
  const { width, height, background, title, description, shapes } = picture;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg"${attributes({ width, height, viewBox: `0 0 ${n(width)} ${n(height)}` })} role="img">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(description)}</desc>`,
    `<rect width="100%" height="100%"${attributes({ fill: background })}/>`,
    ...shapes.map(elementOf),
    '</svg>',
    '',
  ].join('\n');
};
