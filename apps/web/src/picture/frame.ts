/** The stage as one sees it, with what a picture that travels alone must say: the command, whence, the step, the signs. */
import { t } from '../messages/catalogue.ts';
import { pictureWords } from '../messages/picture-words.ts';
import { runTitle } from '../model/caption.ts';
import { offsetMs } from '../model/time-words.ts';
import { playhead } from '../playback/playhead.ts';
import { sentenceOf, whereWords } from '../panels/caption-words.ts';
import type { Run } from '../trace/trace-store.ts';
import { box, line, moved, text } from './drawing.ts';
import { shapesOf } from './from-page.ts';
import { legend } from './legend.ts';
import { lookOf, type Look } from './look.ts';
import type { Picture, Shape } from './shapes.ts';
import { fitting, measure, wrapped } from './text-lines.ts';

const MARGIN = 20;
const LEAST_WIDTH = 360;

/** Null where no stage is drawn. */
export const pictureOfStage = (run: Run): Picture | null => {
  const stage = document.querySelector('.stage-field, .actor-list > ul');
  if (!stage) return null;
  const size = stage.getBoundingClientRect();
  const width = Math.max(size.width, LEAST_WIDTH);
  const look = lookOf(stage);
  const said = wordsOf(run);
  const head = headOf(said, width, look);
  const foot = footOf(said, head.bottom + size.height, width, look);
  return {
    width,
    height: foot.bottom,
    background: look.background,
    title: pictureWords().title(said.command),
    description: [said.whence, said.where, said.sentence, pictureWords().onStage, standing(stage)]
      .join(' ')
      .trim(),
    shapes: [
      ...head.shapes,
      ...shapesOf(stage).map((shape) => moved(shape, (width - size.width) / 2, head.bottom)),
      ...foot.shapes,
    ],
  };
};

interface Said {
  readonly command: string;
  readonly isRecorded: boolean;
  readonly whence: string;
  readonly where: string;
  readonly sentence: string;
}

function wordsOf(run: Run): Said {
  const here = playhead.getState();
  const { model, level, step } = here;
  const { title, origin, anchor } = run.summary;
  const at = model.order.placed[model.steps(level).keyOf(step) ?? -1]?.at;
  const day = new Date(Number(BigInt(anchor.unixNano) / 1_000_000n)).toISOString().slice(0, 10);
  const isRecorded = origin === 'recording';
  const whence = isRecorded ? pictureWords().recorded : t().runs[origin];
  return {
    command: runTitle(title),
    isRecorded,
    whence: `${whence} · ${day}`,
    where: [whereWords(here), at === undefined ? '' : t().caption.real(offsetMs(at))].join(' '),
    sentence: sentenceOf(here, run),
  };
}

/** The command beside the word whence, or below it where it is too long for that. */
function headOf(
  { command, whence, isRecorded }: Said,
  width: number,
  look: Look,
): { readonly shapes: readonly Shape[]; readonly bottom: number } {
  const font = look.mono(16, '600');
  const badge = text(whence, { x: 0, y: 36 }, look.sans(13, '600'), look.text);
  const x = width - MARGIN - 10 - badge.width;
  const frame = { x: x - 10, y: 18, width: badge.width + 20, height: 28 };
  const isBeside = measure(command, font).width <= x - 10 - 2 * MARGIN;
  const lines = isBeside ? [command] : wrapped(command, width - 2 * MARGIN, font).slice(0, 3);
  const first = isBeside ? 36 : 74;
  return {
    shapes: [
      ...lines.map((each, row) => text(each, { x: MARGIN, y: first + row * 22 }, font, look.text)),
      { ...badge, x },
      box(frame, { stroke: look.outline, strokeWidth: 1.5, dash: isRecorded ? [4, 3] : [] }),
    ],
    bottom: first + lines.length * 22,
  };
}

function footOf(
  { where, sentence }: Said,
  top: number,
  width: number,
  look: Look,
): { readonly shapes: readonly Shape[]; readonly bottom: number } {
  const inner = width - 2 * MARGIN;
  const large = look.sans(18, '400');
  const small = look.sans(12, '400');
  let y = top + 28;
  const shapes: Shape[] = [
    line({ x: 0, y: top }, width, { stroke: look.hairline }),
    text(where, { x: MARGIN, y }, look.sans(14, '600'), look.muted),
  ];
  for (const each of wrapped(sentence, inner, large)) {
    y += 25;
    shapes.push(text(each, { x: MARGIN, y }, large, look.text));
  }
  y += 14;
  const signs = legend({ width, margin: MARGIN }, y, look);
  shapes.push(line({ x: 0, y }, width, { stroke: look.hairline }), ...signs.shapes);
  y += signs.height;
  shapes.push(
    text(fitting(pictureWords().made, inner, small), { x: MARGIN, y }, small, look.muted),
  );
  return { shapes, bottom: y + 14 };
}

/** What stands on the stage, in words. */
const standing = (stage: Element): string =>
  [...stage.querySelectorAll<HTMLElement>('button')]
    .map(({ innerText }) => innerText.replace(/\s+/g, ' ').trim())
    .join('; ');
