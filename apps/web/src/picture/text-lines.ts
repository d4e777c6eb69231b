/** A text of the page, line by line as it is broken there, and with the dots where there is no room for all of it. */
import { pictureWords } from '../messages/picture-words.ts';
import { colourOf, type Font, type TextShape } from './shapes.ts';

const pen = (): CanvasRenderingContext2D => {
  const context = document.createElement('canvas').getContext('2d');
  if (!context) throw new Error(pictureWords().noCanvas);
  return context;
};
let shared: CanvasRenderingContext2D | null = null;

export const fontOf = ({ size, weight, family }: Font): string => `${weight} ${size}px ${family}`;

/** How wide a text is and how far its font rises above the line. */
export const measure = (text: string, font: Font): { width: number; ascent: number } => {
  shared ??= pen();
  shared.font = fontOf(font);
  const { width, fontBoundingBoxAscent } = shared.measureText(text);
  return { width, ascent: fontBoundingBoxAscent };
};

/** As much of a text as there is room for. */
export const fitting = (text: string, width: number, font: Font): string => {
  if (measure(text, font).width <= width) return text;
  const signs = Array.from(text.slice(0, 400));
  while (signs.length > 0 && measure(`${signs.join('')}…`, font).width > width) signs.pop();
  return `${signs.join('').trimEnd()}…`;
};

/** Words in lines of this width; one that is too long for a line is cut. */
export const wrapped = (text: string, width: number, font: Font): readonly string[] => {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && measure(longer, font).width <= width) lines[lines.length - 1] = longer;
    else lines.push(fitting(word, width, font));
  }
  return lines;
};

interface Line {
  text: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface Around {
  readonly opacity: number;
  readonly origin: { readonly x: number; readonly y: number };
  readonly clip: DOMRect | null;
}

export const linesOf = (
  node: Text,
  style: CSSStyleDeclaration,
  { opacity, origin, clip }: Around,
): readonly TextShape[] => {
  const fill = colourOf(style.color);
  if (fill === null || node.data.trim() === '') return [];
  const font = {
    size: Number.parseFloat(style.fontSize),
    weight: style.fontWeight,
    family: style.fontFamily,
  };
  const own = node.parentElement?.getBoundingClientRect() ?? null;
  const hasDots = style.textOverflow === 'ellipsis' && style.overflowX === 'hidden';
  const isStruck = style.textDecorationLine.includes('line-through');
  return brokenLines(node)
    .filter(({ top, bottom }) => !clip || (bottom > clip.top + 2 && top < clip.bottom - 2))
    .map(({ text, left, right, top }) => {
      const room = hasDots && own ? own.right - left : Infinity;
      const isCut = right - left > room + 0.5;
      const shown = isCut ? fitting(text, room, font) : text;
      const { width, ascent } = measure(shown, font);
      return {
        kind: 'text',
        text: shown,
        x: left - origin.x,
        baseline: top - origin.y + ascent,
        width: isCut ? width : right - left,
        font,
        fill,
        opacity,
        isStruck,
      };
    });
};

/** Characters that stand at the same height are a line. */
function brokenLines(node: Text): readonly Line[] {
  const range = document.createRange();
  const lines: Line[] = [];
  for (let at = 0; at < node.length;) {
    const sign = String.fromCodePoint(node.data.codePointAt(at) ?? 0);
    range.setStart(node, at);
    range.setEnd(node, at + sign.length);
    at += sign.length;
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const line = lines.at(-1);
    if (line && Math.abs(box.top - line.top) < box.height / 2) {
      line.text += sign;
      line.right = box.right;
    } else if (sign.trim() !== '')
      lines.push({
        text: sign,
        left: box.left,
        right: box.right,
        top: box.top,
        bottom: box.bottom,
      });
  }
  return lines.map((line) => ({ ...line, text: line.text.replace(/\s/g, ' ') }));
}
