/** A question to the room: asked, answered in secret, revealed with the engine's verdict. */
import { useState } from 'react';
import { useStore } from 'zustand';
import { useModelVersion, usePlayhead } from '../hooks.ts';
import { lessonStore } from '../lessons/lesson-session.ts';
import { livingPairs } from '../model/breakable.ts';
import { EngineSays, Histogram } from './Histogram.tsx';
import { askRoom, say } from './present.ts';
import { questionOfFate, questionsOfLesson } from './questions.ts';
import { usePresent } from './use-present.ts';
import { w } from '../messages/room-words.ts';

export const Asking = () => {
  const poll = usePresent(({ room }) => room?.poll ?? null);
  return (
    <section className="present-asking" aria-label={w().ask}>
      <h3>{w().ask}</h3>
      {poll ? <Asked /> : <Ask />}
      <Results />
    </section>
  );
};

const Ask = () => {
  useModelVersion();
  const open = useStore(lessonStore, (state) => state.open);
  const machine = usePlayhead(({ model }) => model.machineAt(model.length));
  const [chosen, setChosen] = useState('');
  const questions = [
    ...questionsOfLesson({ open }),
    ...livingPairs(machine).map(({ containerId }) => questionOfFate(containerId)),
  ];
  const [first] = questions;
  if (!first) return <p className="muted">{w().noQuestions}</p>;
  const question = questions.find(({ id }) => id === chosen) ?? first;
  return (
    <p className="present-acts">
      <select
        aria-label={w().ask}
        value={question.id}
        onChange={({ target }) => setChosen(target.value)}
      >
        {questions.map(({ id, ask }) => (
          <option key={id} value={id}>
            {ask}
          </option>
        ))}
      </select>
      <button type="button" onClick={() => askRoom(question)}>
        {w().askThis}
      </button>
    </p>
  );
};

const Asked = () => {
  const { room, crowd } = usePresent((state) => state);
  const poll = room?.poll;
  if (!poll || !crowd) return null;
  const { ask, isOpen, revealed } = poll;
  return (
    <>
      <p>
        <b>{ask}</b>
      </p>
      <p data-testid="answered">{w().answered(crowd.answered, crowd.devices)}</p>
      <Histogram
        poll={poll}
        counts={revealed?.counts ?? crowd.counts}
        truth={revealed?.truth ?? null}
      />
      {revealed ? (
        <EngineSays poll={poll} revealed={revealed} />
      ) : (
        <p className="muted">{w().hidden}</p>
      )}
      <p className="present-acts">
        {isOpen && (
          <button type="button" onClick={() => say({ type: 'close-poll' })}>
            {w().close}
          </button>
        )}
        <button type="button" onClick={() => say({ type: 'reveal' })}>
          {revealed ? w().again : w().reveal}
        </button>
        <button type="button" onClick={() => askRoom(null)}>
          {w().take}
        </button>
      </p>
    </>
  );
};

/** How the group has done: each question that was revealed, and where in the lesson the devices are. */
const Results = () => {
  const crowd = usePresent((state) => state.crowd);
  const screens = Object.entries(crowd?.screens ?? {});
  if (!crowd || (crowd.results.length === 0 && screens.length === 0)) return null;
  return (
    <section aria-label={w().progress}>
      <h3>{w().progress}</h3>
      <ul className="present-results">
        {crowd.results.map(({ poll, ask, answered, right }) => (
          <li key={poll}>
            <span>{ask}</span> <b>{w().right(right, answered)}</b>
          </li>
        ))}
        {screens.map(([screen, count]) => (
          <li key={screen}>{w().onScreen(Number(screen), count)}</li>
        ))}
      </ul>
    </section>
  );
};
