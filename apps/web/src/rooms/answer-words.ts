/** An answer as people read it: of a choice or an order the words of its options. */
import { ORDER_SEPARATOR, type RoomPoll } from '@engine-room/engine/protocol/room/room.ts';
import { w } from '../messages/room-words.ts';

export type Asked = Pick<RoomPoll, 'kind' | 'options'>;

export const answerWords = ({ kind, options }: Asked, answer: string): string => {
  if (answer === '') return w().otherAnswers;
  if (kind === 'number') return answer;
  const wordsOf = (id: string): string => options.find((option) => option.id === id)?.say ?? id;
  return answer.split(ORDER_SEPARATOR).map(wordsOf).join(' → ');
};
