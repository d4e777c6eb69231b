/**
 * The one playhead. Everything that moves reads it, and nothing else owns a time.
 *
 * run, model      written by `open`
 * realNs          where we are, on the real clock of the run; every other position follows from it
 * n, step         derived from realNs (and level), kept here so that a component re-renders only when they change
 * restsOn         the event of the step on which we rest or to which we go: what is told late may give it another time and number, and we stay with it
 * isPlaying       written by play, pause, and by arriving somewhere
 * pace, level     written by the reader
 * staysAtEnd      true from End (or from having followed a run to it) until the reader goes elsewhere: what still arrives moves the end, and us with it
 * overview        a first run goes by in a few seconds, chapter by chapter; ended by whatever the reader does
 * isFollowing     true from a live run's beginning until the reader goes somewhere on their own
 *
 * Who draws per frame (tokens, clocks, the playhead's line) subscribes to realNs and writes to the DOM itself.
 */
import { createStore } from 'zustand/vanilla';
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';
import { RunModel } from '../model/run-model.ts';
import { START_NS } from '../model/warp.ts';
import type { Pace } from './pace.ts';

export interface PlayheadState {
  readonly traceId: string | null;
  readonly model: RunModel;
  readonly realNs: number;
  readonly n: number;
  readonly step: number;
  readonly restsOn: string | null;
  readonly isPlaying: boolean;
  /** Playing ends here; null when it goes on to the end. */
  readonly stopAt: number | null;
  readonly pace: Pace;
  readonly level: Level;
  readonly staysAtEnd: boolean;
  /** `level` is the reader's own, and theirs again afterwards. */
  readonly overview: { readonly level: Level; readonly isOver: boolean } | null;
  readonly isFollowing: boolean;
  /** The run may still grow: its end is not the end. */
  readonly isLive: boolean;
}

export const playhead = createStore<PlayheadState>(() => ({
  traceId: null,
  model: new RunModel(),
  realNs: START_NS,
  n: 0,
  step: 0,
  restsOn: null,
  isPlaying: false,
  stopAt: null,
  pace: 'learn',
  level: 'step',
  staysAtEnd: false,
  overview: null,
  isFollowing: false,
  isLive: false,
}));
