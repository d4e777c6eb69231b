/** The stores as React sees them: small selectors, re-rendering only when the answer changes. */
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { castOf, type ActorFacts } from './model/actors.ts';
import { containersOf, inFocus, shownContainer } from './model/containers.ts';
import type { Machine } from './model/machine.ts';
import type { Placed } from './model/order.ts';
import { playhead, type PlayheadState } from './playback/playhead.ts';
import { readerStore, type ReaderState } from './reader-store.ts';
import { traceStore, type TraceState } from './trace/trace-store.ts';

export const usePlayhead = <T>(selector: (state: PlayheadState) => T): T =>
  useStore(playhead, selector);
export const useReader = <T>(selector: (state: ReaderState) => T): T =>
  useStore(readerStore, selector);
export const useTraces = <T>(selector: (state: TraceState) => T): T =>
  useStore(traceStore, selector);

/** The model grows in place: its version is what React has to compare. */
export const useModelVersion = (): number => {
  useTraces((state) => state.revision);
  return usePlayhead((state) => state.model.version);
};

/** Who stands on the stage in this run. */
export const useCast = (): readonly ActorFacts[] => {
  useModelVersion();
  return usePlayhead(({ model }) => castOf(model.machineAt(model.length)));
};

/** The event that the present step shows; undefined at step 0. */
export const useStepEvent = (): Placed | undefined => {
  useModelVersion();
  return usePlayhead(
    ({ model, level, step }) => model.order.placed[model.steps(level).keyOf(step) ?? -1],
  );
};

/** Runs `draw` now and whenever the playhead moves, outside of React: for what changes each frame. */
export const useEachMove = (draw: (state: PlayheadState) => void): void => {
  const latest = useRef(draw);
  useEffect(() => {
    latest.current = draw;
    draw(playhead.getState());
  });
  useEffect(() => playhead.subscribe((state) => latest.current(state)), []);
};

/** The containers of the whole run: a place is kept for each from the beginning. */
export const useContainers = (): readonly string[] => {
  const version = useModelVersion();
  const model = usePlayhead((state) => state.model);
  return useMemo(() => {
    void version;
    return containersOf(model.machineAt(model.length)).map(({ id }) => id);
  }, [model, version]);
};

/** The machine at the playhead, seen with this container in focus; without one, with the one that is shown. */
export const useMachine = (containerId: string | null = null): Machine => {
  useModelVersion();
  const machine = usePlayhead(({ model, n }) => model.machineAt(n));
  const focus = useReader((state) => state.focus);
  return inFocus(machine, containerId ?? shownContainer(machine, focus));
};

const subscribeToMedia = (query: string) => (notify: () => void) => {
  const media = matchMedia(query);
  media.addEventListener('change', notify);
  return () => media.removeEventListener('change', notify);
};

export const useMedia = (query: string): boolean =>
  useSyncExternalStore(subscribeToMedia(query), () => matchMedia(query).matches);
