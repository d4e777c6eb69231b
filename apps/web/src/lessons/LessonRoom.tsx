/** The room of the lessons: their list, or the one that is open. A chunk of its own. */
import { useReader } from '../hooks.ts';
import { LessonList } from './LessonList.tsx';
import { LessonView } from './LessonView.tsx';
import './lessons.css';
import './blocks.css';
import './print.css';
import { words } from '../messages/lesson-words.ts';

export const LessonRoom = () => {
  const id = useReader((state) => state.lesson);
  return (
    <section className="lesson" aria-label={words().lesson}>
      {id ? <LessonView key={id} id={id} /> : <LessonList />}
    </section>
  );
};
