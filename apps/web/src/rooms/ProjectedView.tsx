/**
 * What the projector shows: the stage, the caption and the way in. Large, light by default for weak projectors, with
 * keys for brightness and contrast; the pointer goes when it rests, and the screen does not fall asleep.
 */
import { useEffect, useState, type ReactNode } from 'react';
import type { RoomPoll } from '@engine-room/engine/protocol/room/room.ts';
import { Caption } from '../panels/Caption.tsx';
import { StageArea } from '../stage/StageArea.tsx';
import { EngineSays, Histogram } from './Histogram.tsx';
import { Laser } from './Laser.tsx';
import { Qr } from './Qr.tsx';
import { useWakeLock } from './use-wake-lock.ts';
import { w } from '../messages/room-words.ts';
import './histogram.css';
import './projected.css';

const IDLE_MS = 3_000;

export const ProjectedView = ({
  code,
  url,
  poll,
  children,
}: {
  code: string;
  url: string;
  poll: RoomPoll | null;
  children?: ReactNode;
}) => {
  const isIdle = useIdle();
  const { brightness, contrast } = useFilters();
  useWakeLock();
  return (
    <main
      className="projected"
      data-idle={isIdle || undefined}
      style={{
        filter:
          brightness === 1 && contrast === 1
            ? 'none'
            : `brightness(${brightness}) contrast(${contrast})`,
      }}
    >
      <h1 className="sr-only">{w().roomOf(code)}</h1>
      <div className="projected-way-in">
        <Qr text={url} label={w().code(code)} />
        <p>
          <b className="room-code">{code}</b>
          <span>{url.replace(/^https?:\/\//, '').replace(/\/room\/.*$/, '/room')}</span>
        </p>
      </div>
      <StageArea />
      {poll && <PollOnScreen poll={poll} />}
      <Caption />
      {children}
      <Laser />
    </main>
  );
};

const PollOnScreen = ({ poll }: { poll: RoomPoll }) => {
  const { kind, ask, options, revealed } = poll;
  // What is to be put in order has no numbers yet.
  const List = kind === 'order' ? 'ul' : 'ol';
  return (
    <section className="projected-poll" aria-label={w().poll}>
      <h2>{ask}</h2>
      {revealed ? (
        <>
          <Histogram poll={poll} counts={revealed.counts} truth={revealed.truth} />
          <EngineSays poll={poll} revealed={revealed} />
        </>
      ) : (
        <>
          <List>
            {options.map(({ id, say }) => (
              <li key={id}>{say}</li>
            ))}
          </List>
          <p className="muted">{w().answerOnPhone}</p>
        </>
      )}
    </section>
  );
};

function useIdle(): boolean {
  const [isIdle, setIsIdle] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const wake = (): void => {
      setIsIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIsIdle(true), IDLE_MS);
    };
    wake();
    window.addEventListener('pointermove', wake);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('pointermove', wake);
    };
  }, []);
  return isIdle;
}

const CONTRASTS = [1, 1.25, 1.5];

function useFilters(): { readonly brightness: number; readonly contrast: number } {
  const [brightness, setBrightness] = useState(1);
  const [contrast, setContrast] = useState(0);
  useEffect(() => {
    const onKey = ({ key, ctrlKey, metaKey }: KeyboardEvent): void => {
      if (ctrlKey || metaKey) return;
      if (key === '+') setBrightness((value) => Math.min(1.6, value + 0.1));
      else if (key === '-') setBrightness((value) => Math.max(0.6, value - 0.1));
      else if (key === 'x') setContrast((value) => (value + 1) % CONTRASTS.length);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return { brightness: Math.round(brightness * 10) / 10, contrast: CONTRASTS[contrast] ?? 1 };
}
