/** How others get in: the code for phones, the projected window, the screen itself as projector, a phone as clicker. */
import { useState } from 'react';
import type { RoomOpened } from '@engine-room/engine/protocol/room/room.ts';
import { deskUrl, joinUrl, presentStore } from './present-store.ts';
import { presenterName, setPresenterName } from './present.ts';
import { Qr } from './Qr.tsx';
import { w } from '../messages/room-words.ts';

export const WayIn = ({ opened }: { opened: RoomOpened }) => {
  const [isClicker, setIsClicker] = useState(false);
  const url = joinUrl(opened);
  const clickerUrl = `${url}#clicker=${opened.clicker}`;
  return (
    <section className="present-way-in" aria-label={w().joinAt(url)}>
      <Qr
        text={isClicker ? clickerUrl : url}
        label={isClicker ? w().clicker : w().code(opened.code)}
      />
      <div>
        <p className="room-code">{opened.code}</p>
        <p>
          <a href={url} target="_blank" rel="noreferrer">
            {url.replace(/^https?:\/\//, '')}
          </a>
        </p>
        {isClicker && <p className="muted">{w().clickerHint}</p>}
        {opened.reach !== null && <p className="present-reach">{opened.reach}</p>}
        <p className="present-acts">
          <button type="button" onClick={() => openProjector(opened)}>
            {w().projected}
          </button>
          <button type="button" onClick={() => presentStore.setState({ isMirror: true })}>
            {w().mirror}
          </button>
          <button type="button" aria-pressed={isClicker} onClick={() => setIsClicker(!isClicker)}>
            {w().clicker}
          </button>
        </p>
        <details>
          <summary>{w().colleague}</summary>
          <p className="muted">{w().colleagueHint}</p>
          <p className="mono">{deskUrl(opened)}</p>
        </details>
        <label>
          {w().yourName}{' '}
          <input
            defaultValue={presenterName()}
            maxLength={60}
            onChange={({ target }) => setPresenterName(target.value)}
          />
        </label>
      </div>
    </section>
  );
};

const openProjector = (opened: RoomOpened): void => {
  const join = encodeURIComponent(joinUrl(opened));
  window.open(`/present/${opened.code}#join=${join}`, 'engine-room-projector', 'popup');
};
