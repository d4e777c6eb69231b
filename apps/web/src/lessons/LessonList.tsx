/** Every lesson with its question, and how far one is. */
import { useStore } from 'zustand';
import { openLesson } from '../reader-store.ts';
import { CARDS, cardsIn, languageOfPage } from './catalog.ts';
import { Glossary } from './Glossary.tsx';
import { ProgressFile } from './ProgressFile.tsx';
import { progressOf, progressStore } from './progress.ts';
import { words } from '../messages/lesson-words.ts';

export const LessonList = () => {
  const lessons = useStore(progressStore, (state) => state.lessons);
  const passed = CARDS.filter(({ id }) => progressOf(lessons, id).isPassed).length;
  return (
    <>
      <h2>{words().lessons}</h2>
      <p className="lesson-sum">{words().passedOf(passed, CARDS.length)}</p>
      <ol className="lesson-list">
        {cardsIn(languageOfPage()).map(({ id, number, title, question, minutes }) => {
          const progress = progressOf(lessons, id);
          const isBegun = progress.locked.length > 0 || Object.keys(progress.runs).length > 0;
          return (
            <li key={id}>
              <button type="button" className="run" onClick={() => openLesson(id)}>
                <span className="lesson-title">
                  {number}. {title}
                </span>
                <span className="lesson-question">{question}</span>
                <span className="run-facts">
                  <span>{words().minutes(minutes)}</span>
                  {progress.isPassed ? (
                    <span data-tone="ok">{words().checked}</span>
                  ) : (
                    isBegun && <span data-tone="wait">{words().begun}</span>
                  )}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      <ProgressFile />
      <Glossary />
    </>
  );
};
