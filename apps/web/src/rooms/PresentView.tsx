/** The projected window: follows the room like any other screen, and shows nothing that is the presenter's alone. */
import { useEffect } from 'react';
import { useTraces } from '../hooks.ts';
import { EnterCode } from './EnterCode.tsx';
import { useFollow, useFollowing } from './hooks.ts';
import { ProjectedView } from './ProjectedView.tsx';
import { w } from '../messages/room-words.ts';

export const PresentView = ({ code }: { code: string }) => {
  useFollowing(code, 'screen');
  const room = useFollow((state) => state.room);
  const connection = useTraces((state) => state.connection);
  // Who knows where the audience goes is the presenter's page, which has opened this window.
  const url =
    new URLSearchParams(location.hash.slice(1)).get('join') ?? `${location.origin}/room/${code}`;
  useEffect(() => {
    document.documentElement.dataset['theme'] =
      new URLSearchParams(location.search).get('theme') === 'dark' ? 'dark' : 'light';
    document.title = w().roomOf(code);
  }, [code]);
  if (connection.state === 'refused') return <EnterCode problem={w().noRoom} />;
  return (
    <ProjectedView code={code} url={url} poll={room?.poll ?? null}>
      {room?.isOver && <p className="projected-note">{w().over}</p>}
      {connection.state === 'lost' && !room?.isOver && <p className="projected-note">{w().lost}</p>}
    </ProjectedView>
  );
};
