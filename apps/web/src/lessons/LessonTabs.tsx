/** On a phone there is room for one thing: the lesson, or the run that it speaks of. */
import { useEffect, useState } from 'react';

const TABS = { lesson: 'Lesson', run: 'Run' } as const;
type Tab = keyof typeof TABS;

export const LessonTabs = () => {
  const [tab, setTab] = useState<Tab>('lesson');
  useEffect(() => {
    document.documentElement.dataset['tab'] = tab;
    return () => {
      delete document.documentElement.dataset['tab'];
    };
  }, [tab]);
  return (
    <nav className="lesson-tabs" aria-label="What is shown">
      {(Object.keys(TABS) as Tab[]).map((each) => (
        <button key={each} type="button" aria-pressed={each === tab} onClick={() => setTab(each)}>
          {TABS[each]}
        </button>
      ))}
    </nav>
  );
};
