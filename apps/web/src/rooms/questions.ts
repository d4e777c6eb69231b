/** What a presenter can ask: the open lesson's predictions, and the fate of what runs on the stage. */
import type { PollQuestion, PollTruth } from '@engine-room/engine/protocol/room/room.ts';
import type { LessonState } from '../lessons/lesson-session.ts';
import { progressOf, progressStore } from '../lessons/progress.ts';
import { w } from '../messages/room-words.ts';

export const questionsOfLesson = ({ open }: Pick<LessonState, 'open'>): readonly PollQuestion[] => {
  if (!open) return [];
  const { lesson } = open;
  const { runs } = progressOf(progressStore.getState().lessons, lesson.id);
  return lesson.predictions.map((prediction): PollQuestion => {
    const { id, ask } = prediction;
    const options = prediction.kind === 'number' ? [] : prediction.options;
    const truth: PollTruth =
      prediction.kind === 'choice'
        ? { kind: 'choice', rules: prediction.truth }
        : { kind: prediction.kind, fact: prediction.truth };
    return { id, ask, options, truth, runs };
  });
};

/** The engine is asked, after the deed, in which state the container is. */
export const questionOfFate = (containerId: string): PollQuestion => {
  const of = `container ${containerId}`;
  const when = (equals: string) => ({ fact: 'container.state' as const, of, equals });
  return {
    id: `fate-${containerId.slice(0, 12)}`,
    ask: w().fate(containerId.slice(0, 12)),
    options: [
      { id: 'lives', say: w().fateLives },
      { id: 'dies', say: w().fateDies },
      { id: 'paused', say: w().fatePaused },
    ],
    truth: {
      kind: 'choice',
      rules: [
        { when: when('running'), is: 'lives' },
        { when: when('exited'), is: 'dies' },
        { when: when('paused'), is: 'paused' },
      ],
    },
    runs: {},
  };
};
