/** What may be done when: a run waits for the predictions before it, an answer for the runs before it. */
import type { Block, Lesson } from '@engine-room/engine/protocol/lesson/lesson.ts';
import type { Progress } from './progress.ts';

type Named = Extract<Block, { t: 'run' | 'predict' | 'compare' | 'check' }>;

const named = (blocks: readonly Block[]): readonly Named[] =>
  blocks.flatMap((block): readonly Named[] => {
    switch (block.t) {
      case 'run':
      case 'predict':
      case 'compare':
      case 'check':
        return [block, ...named(block.c)];
      case 'reveal':
      case 'terminal':
        return named(block.c);
      case 'list':
        return block.items.flatMap(named);
      case 'p':
      case 'requests':
      case 'code':
        return [];
    }
  });

const before = (lesson: Lesson, isIt: (block: Named) => boolean): readonly Named[] => {
  const all = lesson.screens.flatMap((screen) => named(screen.blocks));
  return all.slice(0, all.findIndex(isIt));
};

/** The first prediction that has to be locked before this run. */
export const openPrediction = (
  lesson: Lesson,
  { locked }: Pick<Progress, 'locked'>,
  run: string,
): string | undefined =>
  before(lesson, (block) => block.t === 'run' && block.id === run).flatMap((block) =>
    block.t === 'predict' && !locked.includes(block.id) ? [block.id] : [],
  )[0];

/** The run that has to be made before this one. */
export const earlierRun = (
  lesson: Lesson,
  { runs }: Pick<Progress, 'runs'>,
  run: string,
): string | undefined =>
  before(lesson, (block) => block.t === 'run' && block.id === run).flatMap((block) =>
    block.t === 'run' && runs[block.id] === undefined ? [block.id] : [],
  )[0];

/** The runs that stand before what compares or checks. */
export const runsBefore = (lesson: Lesson, isIt: (block: Named) => boolean): readonly string[] =>
  before(lesson, isIt).flatMap((block) => (block.t === 'run' ? [block.id] : []));
