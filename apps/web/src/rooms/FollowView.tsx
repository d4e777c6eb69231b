/** A follower: what the presenter shows, on one's own screen, in one's own theme and language, at one's own will. */
import { useEffect } from 'react';
import { PHONE } from '../breakpoints.ts';
import { useMedia, usePlayhead, useTraces } from '../hooks.ts';
import { ContainerOutput } from '../panels/ContainerOutput.tsx';
import { Caption } from '../panels/Caption.tsx';
import { stepBack } from '../playback/playhead.ts';
import { stepOn } from '../shortcuts.ts';
import { ActorList } from '../stage/ActorList.tsx';
import { StageArea } from '../stage/StageArea.tsx';
import { EnterCode } from './EnterCode.tsx';
import { leave, rejoin } from './follow.ts';
import { FollowerPoll } from './FollowerPoll.tsx';
import { FollowerRequests } from './FollowerRequests.tsx';
import { useFollow, useFollowing } from './hooks.ts';
import { Laser } from './Laser.tsx';
import { useWakeLock } from './use-wake-lock.ts';
import { w } from '../messages/room-words.ts';
import './histogram.css';
import './follow.css';

export const FollowView = ({ code }: { code: string }) => {
  useFollowing(code, 'device');
  useWakeLock();
  useKeys();
  const isPhone = useMedia(PHONE);
  const room = useFollow((state) => state.room);
  const connection = useTraces((state) => state.connection);
  const traceId = usePlayhead((state) => state.traceId);
  const lesson = room?.lesson ?? null;
  useEffect(() => {
    document.title = w().roomOf(code);
  }, [code]);
  if (connection.state === 'refused') return <EnterCode problem={w().noRoom} />;
  return (
    <div className="follow">
      <header className="follow-head">
        <h1>{w().roomOf(code)}</h1>
        <Following />
        {lesson && (
          <p className="follow-lesson">
            {lesson.title} <span className="muted">{`${lesson.screen}/${lesson.screens}`}</span>
          </p>
        )}
      </header>
      <main>
        {room?.poll && <FollowerPoll poll={room.poll} />}
        {traceId === null ? (
          <p className="follow-empty">
            {room === null || room.playhead.traceId !== null ? w().fetching : w().nothingYet}
          </p>
        ) : isPhone ? (
          <>
            <Caption />
            <ActorList />
          </>
        ) : (
          <div className="follow-stage">
            <StageArea />
            <Caption />
          </div>
        )}
        <FollowerRequests />
        {traceId !== null && <ContainerOutput />}
      </main>
      <OwnSteps />
      <Laser />
    </div>
  );
};

/** With whom one is, or that one is alone; said aloud when it changes. */
const Following = () => {
  const { room, isAway } = useFollow((state) => state);
  const state = useTraces(({ connection }) => connection.state);
  const words = room?.isOver
    ? w().over
    : state === 'lost'
      ? w().lost
      : isAway
        ? w().onYourOwn
        : room && !room.isDriven
          ? w().nobodyDrives
          : w().following(room?.presenter || w().thePresenter);
  return (
    <p className="following" role="status" data-away={isAway || undefined}>
      <span aria-hidden="true">{isAway ? '◇' : '◆'}</span> {words}
      {isAway && (
        <button type="button" className="primary" onClick={rejoin}>
          {w().rejoin}
        </button>
      )}
    </p>
  );
};

const OwnSteps = () => (
  <nav className="own-steps" aria-label={w().steps}>
    <button type="button" onClick={own(stepBack)}>
      ← {w().back}
    </button>
    <button type="button" onClick={own(stepOn)}>
      {w().forward} →
    </button>
  </nav>
);

const own = (act: () => void) => (): void => {
  leave();
  act();
};

const KEYS: Readonly<Record<string, () => void>> = {
  ArrowRight: own(stepOn),
  ArrowLeft: own(stepBack),
  PageDown: own(stepOn),
  PageUp: own(stepBack),
  Escape: rejoin,
};

function useKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isField =
        event.target instanceof HTMLElement && event.target.closest('input, [data-own-arrows]');
      const act = KEYS[event.key];
      if (!act || isField || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
