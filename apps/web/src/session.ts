/** Puts the parts to work together: the lab's line fills the runs, the chosen run is what the playhead plays. */
import type { CheckAnswer, CheckRequest } from '@engine-room/engine/protocol/lesson/predicate.ts';
import { spanEndedId } from '@engine-room/engine/protocol/trace/event-id.ts';
import type { FaultRequest } from '@engine-room/engine/protocol/trace/fault.ts';
import {
  pause,
  noteGrowth,
  openRun,
  playFrom,
  playhead,
  seekStep,
  setLevel,
} from './playback/playhead.ts';
import { startClock } from './playback/clock.ts';
import { recall, remember } from './memory.ts';
import { REDUCED_MOTION } from './breakpoints.ts';
import { readerStore } from './reader-store.ts';
import { t } from './messages/catalogue.ts';
import { parseDeepLink, type DeepLink } from './trace/deep-link.ts';
import { LabConnection } from './trace/connection.ts';
import { LabRequests, type FrozenFacts, type RunAnswer } from './trace/lab-requests.ts';
import { embeddedTrace, fetchRecordedTrace } from './trace/recorded-trace.ts';
import { takeToken } from './trace/token.ts';
import { openRecording, traceStore, type Run } from './trace/trace-store.ts';

export const FIRST_RECORDING = `${import.meta.env.BASE_URL}recordings/first-run.trace.gz`;
/** Built for a web host without an engine, or as one file that carries its run. */
const IS_RECORDED = import.meta.env.MODE === 'static' || import.meta.env.MODE === 'offline';

const OVERVIEW_SEEN = 'engine-room.overview-seen';

let connection: LabConnection | null = null;
let lab: LabRequests | null = null;
let token: string | null = null;
/** Takes back the request that the lab has not answered. */
let takeBack: AbortController | null = null;
/** The run that Send Request made and that has not begun to tell of itself. */
let awaited: string | null = null;
/** The trace and the span of the fault that the page has followed; its story is over when that span is. */
let followedFault: { readonly traceId: string; readonly spanId: string } | null = null;
/** The fault whose signal has not been told yet. */
let awaitedFault: { readonly traceIds: readonly string[]; readonly eventId: string } | null = null;
/** Where the address wants us, until we are there. */
let wantedPlace: DeepLink | null = null;
let hasRecording = true;

export const startSession = (): void => {
  startClock();
  // The token takes the fragment away, so the place is read first.
  wantedPlace = parseDeepLink(location.hash);
  if (IS_RECORDED) {
    traceStore.setState({ connection: { state: 'recorded' } });
  } else {
    token = takeToken();
    connection = new LabConnection(token);
    lab = new LabRequests(token);
    connection.open();
  }
  traceStore.subscribe(({ runs, revision }, before) => {
    if (revision !== before.revision) followGrowth(runs);
  });
  void openFirstRecording();
};

/** The page is alive before anybody has run anything. */
async function openFirstRecording(): Promise<void> {
  readerStore.setState({ isOpening: true });
  try {
    const traceId = openRecording(
      (await embeddedTrace()) ?? (await fetchRecordedTrace(FIRST_RECORDING)),
    );
    if (playhead.getState().traceId === null) show(traceId);
  } catch {
    // Without it the page begins with the latest run, or empty, and says so; everything else works.
    hasRecording = false;
    followGrowth(traceStore.getState().runs);
  } finally {
    readerStore.setState({ isOpening: false });
  }
}

/** The reader wants this run, and no longer what a link wanted. */
export const chooseRun = (traceId: string): void => {
  wantedPlace = null;
  show(traceId);
};

const show = (traceId: string): void => {
  const run = traceStore.getState().runs.get(traceId);
  if (!run) return;
  readerStore.setState({ selected: null, focus: null });
  openRun(traceId, run.model, { isLive: isLive(run) });
  const lacks =
    run.summary.origin !== 'recording' &&
    run.summary.state === 'ended' &&
    run.model.length < run.summary.eventCount;
  if (lacks || !run.isWhole) void connection?.fetchTrace(traceId);
};

/** Null when another request is on its way, or this one was taken back. `gate`: where it is held besides the reader's own gates. */
export const sendRequest = async (command: string, gate?: string): Promise<RunAnswer | null> => {
  if (!lab || readerStore.getState().sending) return null;
  pause();
  readerStore.setState({ sending: { command, sinceMs: Date.now() }, refusal: null });
  const { gates } = readerStore.getState();
  const { signal } = (takeBack = new AbortController());
  const answer = await lab.run(
    command,
    gate === undefined ? gates : [...new Set([...gates, gate])],
    signal,
  );
  if (signal.aborted) {
    readerStore.setState({ sending: null });
    return null;
  }
  if ('message' in answer) {
    readerStore.setState({ sending: null, refusal: { command, ...answer } });
    return answer;
  }
  readerStore.setState(({ injected }) => ({
    injected: new Map(injected).set(answer.traceId, answer.injected),
  }));
  awaited = answer.traceId;
  followGrowth(traceStore.getState().runs);
  return answer;
};

/** While it waits for its turn, nothing has happened yet. */
export const leaveLine = (): void => takeBack?.abort();

export const askLab = async (
  request: CheckRequest,
): Promise<CheckAnswer | { readonly message: string }> =>
  (await lab?.check(request)) ?? { message: t().connection.unreachable };

export const stopRun = async (traceId: string): Promise<void> => {
  await lab?.stop(traceId);
};

/** Answers what the lab said against it, or null when the signal was sent: then the page goes to where it is told. */
export const breakEngine = async (request: FaultRequest): Promise<string | null> => {
  if (!lab) return t().connection.unreachable;
  const answer = await lab.fault(request);
  if ('message' in answer) return answer.message;
  awaitedFault = answer;
  followGrowth(traceStore.getState().runs);
  return null;
};

/** Shows the fault in the run that is on the stage, if that run tells of it, else in the first that does. */
function followFault(runs: ReadonlyMap<string, Run>): void {
  if (!awaitedFault) return;
  const { traceIds, eventId } = awaitedFault;
  const shown = playhead.getState().traceId;
  const traceId = shown !== null && traceIds.includes(shown) ? shown : traceIds[0];
  const run = traceId === undefined ? undefined : runs.get(traceId);
  if (traceId === undefined || !run?.model.placed(eventId)) return;
  awaitedFault = null;
  if (traceId !== shown) chooseRun(traceId);
  readerStore.setState({ selected: null });
  followedFault = { traceId, spanId: eventId.slice(0, eventId.indexOf('/')) };
  playFrom(eventId);
}

export const continueRun = async (traceId: string): Promise<void> => {
  await lab?.continue(traceId);
};

export const heldFacts = async (traceId: string, gate: string): Promise<FrozenFacts | null> =>
  (await lab?.held(traceId, gate)) ?? null;

/** Fetches a run that is over and that nobody has looked at yet. */
export const makeWhole = (traceId: string): void => {
  const run = traceStore.getState().runs.get(traceId);
  if (run && run.summary.origin !== 'recording' && (!run.isWhole || run.model.length === 0))
    void connection?.fetchTrace(traceId);
};

/** Null where there is no lab. */
export const terminalLine = (): WebSocket | null => lab?.terminal() ?? null;

/** For what goes to the lab beside the trace. */
export const labToken = (): string | null => token;

export const retryConnection = (): void => connection?.open();

/** The first run of a newcomer; not of one who chose a pace, nor of one who wants no motion. */
function takesOverview(): boolean {
  if (playhead.getState().pace !== 'learn' || matchMedia(REDUCED_MOTION).matches) return false;
  if (recall(OVERVIEW_SEEN) !== null) return false;
  remember(OVERVIEW_SEEN, 'yes');
  return true;
}

/** What was broken is not whole again, so there is more to come though the command is long over. */
const isMending = ({ summary, model }: Pick<Run, 'summary' | 'model'>): boolean =>
  followedFault !== null &&
  followedFault.traceId === summary.traceId &&
  model.placed(spanEndedId(followedFault.spanId)) === undefined;

const isLive = ({ summary, model }: Run): boolean =>
  summary.state === 'running' ||
  isMending({ summary, model }) ||
  (summary.origin !== 'recording' && model.length < summary.eventCount);

/** A link to a step: the run is chosen as soon as it is known, and the step when the run is there as a whole. */
function followLink(runs: ReadonlyMap<string, Run>): void {
  const run = wantedPlace ? runs.get(wantedPlace.traceId) : undefined;
  if (!wantedPlace || !run) return;
  const { traceId, step, level } = wantedPlace;
  const { summary, model } = run;
  if (playhead.getState().traceId !== traceId) show(traceId);
  if (summary.origin !== 'recording' && model.length < summary.eventCount) return;
  wantedPlace = null;
  setLevel(level);
  seekStep(step);
}

function followGrowth(runs: ReadonlyMap<string, Run>): void {
  followFault(runs);
  followLink(runs);
  const fresh = awaited === null ? undefined : runs.get(awaited);
  if (awaited !== null && fresh && fresh.model.length > 0) {
    openRun(awaited, fresh.model, {
      isLive: isLive(fresh),
      play: true,
      asOverview: takesOverview(),
    });
    readerStore.setState({ sending: null, selected: null });
    awaited = null;
    return;
  }
  const { traceId } = playhead.getState();
  const latest = runs.values().next().value;
  if (traceId === null && !hasRecording && latest) return show(latest.summary.traceId);
  const shown = traceId === null ? undefined : runs.get(traceId);
  if (shown) noteGrowth(isLive(shown));
}
