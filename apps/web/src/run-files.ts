/** Runs as files: saved for others or for Jaeger, and opened again. What is opened may come from anywhere. */
import { otlpOf } from './model/otlp.ts';
import { playhead } from './playback/playhead.ts';
import { readerStore } from './reader-store.ts';
import { chooseRun } from './session.ts';
import { formatDeepLink } from './trace/deep-link.ts';
import { readTrace } from './trace/recorded-trace.ts';
import { openRecording, type Run } from './trace/trace-store.ts';
import { headerOf, writeTrace } from './trace/write-trace.ts';

const LARGEST_FILE_BYTES = 64 * 1024 * 1024;

const say = (notice: string): void => readerStore.setState({ notice });

export const openTraceFile = async (file: File): Promise<void> => {
  if (file.size > LARGEST_FILE_BYTES)
    return say(`${file.name} is too large to be a recorded run (more than 64 MiB)`);
  try {
    const trace = await readTrace(new Uint8Array(await file.arrayBuffer()));
    chooseRun(openRecording(trace));
    say(trace.caveat === null ? `${file.name} is open` : `${file.name} is open: ${trace.caveat}`);
  } catch (error) {
    say(`${file.name} cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
};

export const saveTrace = async (run: Run): Promise<void> => {
  const events = run.model.order.placed.map(({ event }) => event);
  const header = run.header ?? headerOf(run.summary, 'not noted: saved from the page');
  offer(await writeTrace(header, events), `${nameOf(run)}.trace.gz`);
};

export const saveOtlp = (run: Run): void => {
  const text = JSON.stringify(otlpOf(run.model, run.summary));
  offer(new Blob([text], { type: 'application/json' }), `${nameOf(run)}.otlp.json`);
};

/** The present step of the run as an address; without the token, which is nobody else's. */
export const copyLink = async (): Promise<void> => {
  const { traceId, step, level } = playhead.getState();
  if (traceId === null) return;
  const link = location.origin + location.pathname + formatDeepLink({ traceId, step, level });
  try {
    await navigator.clipboard.writeText(link);
    say('The link to this step is copied; it carries no token.');
  } catch {
    say(`The link to this step: ${link}`);
  }
};

const nameOf = ({ summary }: Run): string => `engine-room-${summary.traceId.slice(0, 8)}`;

function offer(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the address over by the next turn.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
