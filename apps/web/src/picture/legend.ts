/** The signs of the stage with their names, in as many rows as it takes. */
import { t } from '../messages/catalogue.ts';
import { pictureWords } from '../messages/picture-words.ts';
import { ACTORS } from '../model/actors.ts';
import { SHAPES } from '../stage/StatusMark.tsx';
import { box, line, mark, text } from './drawing.ts';
import type { Look } from './look.ts';
import type { Shape } from './shapes.ts';
import { measure } from './text-lines.ts';

const ROW = 24;
const SIGN = 28;
const GAP = 18;

type Sign = (x: number, y: number) => Shape;

export const legend = (
  { width, margin }: { readonly width: number; readonly margin: number },
  top: number,
  look: Look,
): { readonly shapes: readonly Shape[]; readonly height: number } => {
  const font = look.sans(12, '400');
  const shapes: Shape[] = [];
  let x = margin;
  let y = top + ROW;
  for (const [name, sign] of entries(look)) {
    const long = SIGN + measure(name, font).width + GAP;
    if (x + long > width - margin && x > margin) {
      x = margin;
      y += ROW;
    }
    shapes.push(sign(x, y), text(name, { x: x + SIGN, y }, font, look.muted));
    x += long;
  }
  return { shapes, height: y - top + ROW };
};

function entries(look: Look): readonly (readonly [name: string, sign: Sign])[] {
  const words = pictureWords();
  const road =
    (stroke: string, strokeWidth: number, dash: readonly number[] = []): Sign =>
    (x, y) =>
      line({ x, y: y - 4 }, 22, { stroke, strokeWidth, dash });
  const status =
    (kind: keyof typeof SHAPES): Sign =>
    (x, y) =>
      mark({ x: x + 4, y: y - 10 }, SHAPES[kind] ?? '', look.text);
  const domains = [...new Set(ACTORS.map(({ domain }) => domain))];
  return [
    [words.socket, road(look.outline, 1.5)],
    [words.exec, road(look.outline, 1.5, [2, 5])],
    [words.parent, road(look.muted, 1.25)],
    [words.works, status('active')],
    [words.waits, status('waiting')],
    [words.held, status('blocked')],
    [words.gone, status('dead')],
    [
      words.absent,
      (x, y) =>
        box({ x, y: y - 11, width: 22, height: 13 }, { stroke: look.outline, dash: [4, 3] }),
    ],
    ...domains.map(
      (domain) =>
        [
          t().stage[domain],
          (x: number, y: number) =>
            box({ x: x + 4, y: y - 10, width: 12, height: 12 }, { fill: look.colour(domain) }),
        ] as const,
    ),
  ];
}
