/** The presenter's desk: where we are and what comes next, notes, the room, its questions and its wishes. */
import { useEffect, useState } from 'react';
import { captionOf } from '../model/caption.ts';
import { useModelVersion, usePlayhead } from '../hooks.ts';
import { recall, remember } from '../memory.ts';
import { chooseRun } from '../session.ts';
import { Asking } from './Asking.tsx';
import { notesAt } from './notes.ts';
import { Offers } from './Offers.tsx';
import { endRoom, goOnIn, openRoom, say, takeWheel } from './present.ts';
import { playRecording } from './panic.ts';
import { presentStore } from './present-store.ts';
import { WayIn } from './WayIn.tsx';
import { useLaser } from './use-laser.ts';
import { usePresent } from './use-present.ts';
import { w } from '../messages/room-words.ts';
import './histogram.css';
import './present.css';

export const PresentPanel = () => {
  const opened = usePresent((state) => state.opened);
  const isOpening = usePresent((state) => state.isOpening);
  const problem = usePresent((state) => state.problem);
  return (
    <section className="present" aria-label={w().panel}>
      {isOpening && <p role="status">{w().opening}</p>}
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <Others />
      {opened && (
        <>
          <Head />
          <Wheel />
          <WayIn opened={opened} />
          <NowAndNext />
          <Notes />
          <Asking />
          <Offers />
          <Ran />
          <p className="present-acts">
            <LaserSwitch />
            <button type="button" onClick={playRecording}>
              {w().recording}
            </button>
            <button type="button" onClick={endRoom}>
              {w().end}
            </button>
          </p>
        </>
      )}
    </section>
  );
};

const LaserSwitch = () => {
  const hasWheel = usePresent((state) => state.hasWheel);
  const [isOn, setIsOn] = useLaser();
  return (
    <button
      type="button"
      aria-pressed={isOn}
      disabled={!hasWheel}
      title={w().laserHint}
      onClick={() => setIsOn(!isOn)}
    >
      {w().laser}
    </button>
  );
};

const Others = () => {
  const others = usePresent((state) => state.others);
  if (others.length === 0) return null;
  return (
    <>
      <p>{w().others}</p>
      <p className="present-acts">
        {others.map(({ code, presenter }) => (
          <button key={code} type="button" onClick={() => void goOnIn(code)}>
            {w().goOnIn(code, presenter)}
          </button>
        ))}
        <button type="button" className="primary" onClick={() => void openRoom()}>
          {w().openNew}
        </button>
      </p>
    </>
  );
};

const Head = () => {
  const code = usePresent(({ opened }) => opened?.code ?? '');
  const openedAtMs = usePresent((state) => state.openedAtMs);
  const devices = usePresent(({ crowd }) => crowd?.devices ?? 0);
  const away = usePresent(({ crowd }) => crowd?.away ?? 0);
  return (
    <header className="present-head">
      <h2>{w().roomOf(code)}</h2>
      <p>
        <b data-testid="devices">{w().devices(devices)}</b>
        {away > 0 && <span className="muted"> · {w().away(away)}</span>}
      </p>
      <Timer sinceMs={openedAtMs} />
    </header>
  );
};

const Timer = ({ sinceMs }: { sinceMs: number }) => {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1_000));
  const two = (count: number): string => String(count).padStart(2, '0');
  return (
    <p className="mono present-timer" role="timer" aria-label={w().timer}>
      {`${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`}
    </p>
  );
};

const Wheel = () => {
  const { hasWheel, wheelAsked, isConnected, room } = usePresent((state) => state);
  if (!isConnected)
    return (
      <p className="present-notice" role="status">
        {w().lineLost}
      </p>
    );
  if (wheelAsked)
    return (
      <p className="present-notice" role="alert">
        {w().wheelAsked(wheelAsked.name || w().aColleague)}{' '}
        <button type="button" onClick={() => say({ type: 'hand-over', to: wheelAsked.by })}>
          {w().handOver}
        </button>{' '}
        <button type="button" onClick={() => presentStore.setState({ wheelAsked: null })}>
          {w().keep}
        </button>
      </p>
    );
  if (hasWheel) return null;
  return (
    <p className="present-notice" role="status">
      {room?.isDriven ? w().noWheel(room.presenter || w().aColleague) : w().nobodyDrives}{' '}
      <button type="button" onClick={takeWheel}>
        {w().takeWheel}
      </button>
    </p>
  );
};

const NowAndNext = () => {
  useModelVersion();
  const words =
    (step: number) =>
    ({ model, level }: Parameters<Parameters<typeof usePlayhead>[0]>[0]) => {
      const placed = model.order.placed[model.steps(level).keyOf(step) ?? -1];
      return placed ? captionOf(placed.event, model) : null;
    };
  const step = usePlayhead((state) => state.step);
  const now = usePlayhead(words(step));
  const next = usePlayhead(words(step + 1));
  return (
    <dl className="present-steps">
      <dt>{w().now}</dt>
      <dd>{now ?? w().beginning}</dd>
      <dt>{w().next}</dt>
      <dd>{next ?? w().noNext}</dd>
    </dl>
  );
};

const NOTES = 'engine-room.notes';

const Notes = () => {
  const [text, setText] = useState(() => recall(NOTES) ?? '');
  const [isEditing, setIsEditing] = useState(false);
  const step = usePlayhead((state) => state.step);
  const words = notesAt(text, step);
  return (
    <section aria-label={w().notes}>
      <h3>{w().notes}</h3>
      {isEditing ? (
        <label>
          <span className="muted">{w().notesHint}</span>
          <textarea
            rows={7}
            value={text}
            onChange={({ target }) => {
              setText(target.value);
              remember(NOTES, target.value);
            }}
          />
        </label>
      ) : (
        <p className="present-notes">
          {words === '' ? <span className="muted">{w().noNotes}</span> : words}
        </p>
      )}
      <button type="button" className="quiet" onClick={() => setIsEditing(!isEditing)}>
        {isEditing ? w().doneNotes : w().editNotes}
      </button>
    </section>
  );
};

const Ran = () => {
  const ran = usePresent((state) => state.ran);
  if (!ran) return null;
  return (
    <p className="present-notice" role="status">
      {w().ran(ran.command)}{' '}
      <button type="button" onClick={() => chooseRun(ran.traceId)}>
        {w().showIt}
      </button>
    </p>
  );
};
