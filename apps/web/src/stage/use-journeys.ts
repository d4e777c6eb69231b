/** The journeys under way. Re-renders when one begins or ends, not while it goes on. */
import { useRef, useSyncExternalStore } from 'react';
import { journeysAt, type Journey } from '../model/journeys.ts';
import { playhead } from '../playback/playhead.ts';

const keyOf = (journeys: readonly Journey[]): string =>
  journeys.map(({ id, departs, lasts }) => `${id} ${departs} ${lasts}`).join('|');

export const useJourneys = (): readonly Journey[] => {
  const before = useRef<readonly Journey[]>([]);
  return useSyncExternalStore(playhead.subscribe, () => {
    const { model, level, realNs } = playhead.getState();
    const now = journeysAt(model, level, realNs);
    if (keyOf(now) !== keyOf(before.current)) before.current = now;
    return before.current;
  });
};
