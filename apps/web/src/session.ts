/** Puts the parts to work together: the lab's line fills the runs, the chosen run is what the playhead plays. */
import { pause, noteGrowth, openRun, playhead } from './playback/playhead.ts';
import { startClock } from './playback/clock.ts';
import { recall, remember } from './memory.ts';
import { REDUCED_MOTION } from './breakpoints.ts';
import { readerStore } from './reader-store.ts';
import { LabConnection } from './trace/connection.ts';
import { fetchRecordedTrace } from './trace/recorded-trace.ts';
import { takeToken } from './trace/token.ts';
import { openRecording, traceStore, type Run } from './trace/trace-store.ts';

export const FIRST_RECORDING = '/recordings/first-run.trace.gz';

const OVERVIEW_SEEN = 'engine-room.overview-seen';

let connection: LabConnection | null = null;
/** The run that Send Request made and that has not begun to tell of itself. */
let awaited: string | null = null;
let hasRecording = true;

export const startSession = (): void => {
  startClock();
  connection = new LabConnection(takeToken());
  connection.open();
  traceStore.subscribe(({ runs, revision }, before) => {
    if (revision !== before.revision) followGrowth(runs);
  });
  void openFirstRecording();
};

/** The page is alive before anybody has run anything. */
async function openFirstRecording(): Promise<void> {
  try {
    const traceId = openRecording(await fetchRecordedTrace(FIRST_RECORDING));
    if (playhead.getState().traceId === null) chooseRun(traceId);
  } catch {
    // Without it the page begins with the latest run, or empty, and says so; everything else works.
    hasRecording = false;
    followGrowth(traceStore.getState().runs);
  }
}

export const chooseRun = (traceId: string): void => {
  const run = traceStore.getState().runs.get(traceId);
  if (!run) return;
  readerStore.setState({ selected: null });
  openRun(traceId, run.model, { isLive: isLive(run) });
  const lacks =
    run.summary.origin !== 'recording' &&
    run.summary.state === 'ended' &&
    run.model.length < run.summary.eventCount;
  if (lacks || !run.isWhole) void connection?.fetchTrace(traceId);
};

export const sendRequest = async (command: string): Promise<void> => {
  if (!connection || readerStore.getState().sending) return;
  pause();
  readerStore.setState({ sending: { command, sinceMs: Date.now() }, refusal: null });
  const answer = await connection.run(command);
  if ('message' in answer) {
    readerStore.setState({ sending: null, refusal: { command, ...answer } });
    return;
  }
  readerStore.setState(({ injected }) => ({
    injected: new Map(injected).set(answer.traceId, answer.injected),
  }));
  awaited = answer.traceId;
  followGrowth(traceStore.getState().runs);
};

export const stopRun = async (traceId: string): Promise<void> => {
  await connection?.stop(traceId);
};

export const retryConnection = (): void => connection?.open();

/** The first run of a newcomer; not of one who chose a pace, nor of one who wants no motion. */
function takesOverview(): boolean {
  if (playhead.getState().pace !== 'learn' || matchMedia(REDUCED_MOTION).matches) return false;
  if (recall(OVERVIEW_SEEN) !== null) return false;
  remember(OVERVIEW_SEEN, 'yes');
  return true;
}

const isLive = ({ summary, model }: Run): boolean =>
  summary.state === 'running' ||
  (summary.origin !== 'recording' && model.length < summary.eventCount);

function followGrowth(runs: ReadonlyMap<string, Run>): void {
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
  if (traceId === null && !hasRecording && latest) return chooseRun(latest.summary.traceId);
  const shown = traceId === null ? undefined : runs.get(traceId);
  if (shown) noteGrowth(isLive(shown));
}
