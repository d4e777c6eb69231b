/** What a picture is made of. Few kinds, so that both writers (`svg.ts`, `png.ts`) can say all of it. Pixels of the page. */
interface Painted {
  readonly opacity: number;
  /** `#rrggbb` or `#rrggbbaa`; null for none. */
  readonly fill: string | null;
  readonly stroke: string | null;
  readonly strokeWidth: number;
  readonly dash: readonly number[];
}

export interface RectShape extends Painted {
  readonly kind: 'rect';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly radius: number;
}

export type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

export interface PathShape extends Painted {
  readonly kind: 'path';
  readonly d: string;
  readonly matrix: Matrix;
}

export interface Font {
  readonly size: number;
  readonly weight: string;
  readonly family: string;
}

export interface TextShape {
  readonly kind: 'text';
  readonly text: string;
  readonly x: number;
  readonly baseline: number;
  /** As wide as the page has it: another font is made to fit. */
  readonly width: number;
  readonly font: Font;
  readonly fill: string;
  readonly opacity: number;
  readonly isStruck: boolean;
}

export type Shape = RectShape | PathShape | TextShape;

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly background: string;
  /** For whoever cannot see it. */
  readonly title: string;
  readonly description: string;
  readonly shapes: readonly Shape[];
}

/** Where the line lies that strikes a text out. */
export const strikeOf = ({ baseline, font }: TextShape): number => baseline - font.size * 0.3;

const hex = (value: number): string =>
  Math.round(Math.max(0, Math.min(255, value)))
    .toString(16)
    .padStart(2, '0');

/** A computed colour as every program for pictures reads it; null when nothing would be seen. */
export const colourOf = (computed: string): string | null => {
  const isUnit = computed.startsWith('color(srgb');
  const [r = 0, g = 0, b = 0, alpha = 1] = (computed.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(Number);
  if (!/^(rgb|color\(srgb)/.test(computed) || alpha === 0) return null;
  const scale = isUnit ? 255 : 1;
  return `#${hex(r * scale)}${hex(g * scale)}${hex(b * scale)}${alpha < 1 ? hex(alpha * 255) : ''}`;
};
