/** On a phone there is room for one thing: the lesson, or the run that it speaks of. */
import { useEffect, useState } from 'react';
import { words } from '../messages/lesson-words.ts';

const TABS = ['lesson', 'run'] as const;
type Tab = (typeof TABS)[number];

export const LessonTabs = () => {
  const [tab, setTab] = useState<Tab>('lesson');
  useEffect(() => {
    document.documentElement.dataset['tab'] = tab;
    return () => {
      delete document.documentElement.dataset['tab'];
    };
  }, [tab]);
  return (
    <nav className="lesson-tabs" aria-label={words().shown}>
      {TABS.map((each) => (
        <button key={each} type="button" aria-pressed={each === tab} onClick={() => setTab(each)}>
          {words()[each]}
        </button>
      ))}
    </nav>
  );
};
