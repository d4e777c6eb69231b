/** One lesson: a screen at a time, beside the stage that it speaks of. In print all screens follow one another. */
import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { useTraces } from '../hooks.ts';
import { openLesson } from '../reader-store.ts';
import { Blocks, type Here } from './Blocks.tsx';
import { lacksTranslation, languageOfPage, nextAfter } from './catalog.ts';
import { CodePlaces } from './CodePlaces.tsx';
import { enterLesson, lessonStore, usesRecording } from './lesson-session.ts';
import { change, progressOf, progressStore, startOver } from './progress.ts';
import { words } from '../messages/lesson-words.ts';

export const LessonView = ({ id }: { id: string }) => {
  const { open, problem } = useStore(lessonStore);
  const progress = useStore(progressStore, (state) => progressOf(state.lessons, id));
  const language = languageOfPage();
  useEffect(() => void enterLesson(id), [id, language]);
  return (
    <>
      <p>
        <button type="button" className="quiet" onClick={() => openLesson('')}>
          {words().allLessons}
        </button>
      </p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {open?.lesson.id === id ? (
        <Opened here={{ module: open, lesson: open.lesson, progress }} />
      ) : (
        problem === null && <p className="muted">{words().loading}</p>
      )}
    </>
  );
};

const Opened = ({ here }: { here: Here }) => {
  const { lesson, progress } = here;
  const { id, screens } = lesson;
  const title = useRef<HTMLHeadingElement>(null);
  const isMoved = useRef(false);
  const at = Math.max(0, Math.min(progress.screen, screens.length - 1));
  useEffect(() => {
    // Whoever reads by ear or by key goes on at the new screen, not at its button.
    if (isMoved.current) title.current?.focus();
    isMoved.current = true;
  }, [at]);
  const go = (screen: number): void => change(id, () => ({ screen }));
  const next = nextAfter(id, languageOfPage());
  return (
    <>
      <h2 className="lesson-name">
        {lesson.number}. {lesson.title}
      </h2>
      <Mode id={id} />
      <Language id={id} />
      {screens.map((screen, index) => (
        <article key={screen.title} className="screen" data-away={index !== at || undefined}>
          <h3 ref={index === at ? title : undefined} tabIndex={-1}>
            {screen.title}{' '}
            <span className="screen-count">{words().screenOf(index + 1, screens.length)}</span>
          </h3>
          <Blocks blocks={screen.blocks} here={here} />
          {index === screens.length - 1 && <CodePlaces places={lesson.code} />}
        </article>
      ))}
      <nav className="lesson-nav" aria-label={words().screens}>
        <button type="button" disabled={at === 0} onClick={() => go(at - 1)}>
          {words().back}
        </button>
        {at < screens.length - 1 ? (
          <button type="button" className="primary" onClick={() => go(at + 1)}>
            {words().next}
          </button>
        ) : (
          next && (
            <button
              type="button"
              className={progress.isPassed ? 'primary' : undefined}
              onClick={() => openLesson(next.id)}
            >
              {words().nextLesson(next.title)}
            </button>
          )
        )}
        <button type="button" className="quiet" onClick={() => startOver(id)}>
          {words().startOver}
        </button>
      </nav>
    </>
  );
};

/** Whoever reads in another language is told why this is in English. */
const Language = ({ id }: { id: string }) => {
  if (!lacksTranslation(id, languageOfPage())) return null;
  return (
    <p className="lesson-mode" data-tone="wait">
      <span aria-hidden="true">◐ </span>
      {words().notTranslated}
    </p>
  );
};

/** A recorded lesson is never taken for a live one. */
const Mode = ({ id }: { id: string }) => {
  // What the line to the lab is like decides it, so it has to be watched.
  useTraces(({ connection }) => connection.state);
  if (!usesRecording(id)) return null;
  return (
    <p className="lesson-mode" data-tone="wait">
      <span aria-hidden="true">◐ </span>
      {words().onRecordings}
    </p>
  );
};
