/** Runs as files: saved for others or for Jaeger, and opened again. What is opened may come from anywhere. */
import { t } from './messages/catalogue.ts';
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
  if (file.size > LARGEST_FILE_BYTES) return say(t().files.tooLarge(file.name));
  try {
    const trace = await readTrace(new Uint8Array(await file.arrayBuffer()));
    chooseRun(openRecording(trace));
    say(
      trace.caveat === null
        ? t().files.isOpen(file.name)
        : t().files.isOpenBut(file.name, trace.caveat),
    );
  } catch (error) {
    say(t().files.cannotOpen(file.name, error instanceof Error ? error.message : String(error)));
  }
};

/** Asks for a file, as a button for files would. */
export const pickTraceFile = (): void => {
  const picker = document.createElement('input');
  picker.type = 'file';
  picker.accept = '.gz,.trace,application/gzip';
  picker.addEventListener('change', () => {
    const [file] = picker.files ?? [];
    if (file) void openTraceFile(file);
  });
  picker.click();
};

export const saveTrace = async (run: Run): Promise<void> =>
  offer(await packed(run), `${nameOf(run)}.trace.gz`);

const packed = (run: Run): Promise<Blob> =>
  writeTrace(
    run.header ?? headerOf(run.summary, t().files.savedHere),
    run.model.order.placed.map(({ event }) => event),
  );

/** The place for a run in the page that `scripts/offline-page.mjs` builds. */
const PLACE = '<script type="text/plain" id="recording"></script>';

/** A page in one file that replays the run without any server. */
export const savePage = async (run: Run): Promise<void> => {
  try {
    const response = await fetch(`${import.meta.env.BASE_URL}offline.html`);
    const page = response.ok ? await response.text() : '';
    if (!page.includes(PLACE)) return say(t().files.noPage);
    const run64 = base64(new Uint8Array(await (await packed(run)).arrayBuffer()));
    const whole = page.replace(PLACE, PLACE.replace('><', `>${run64}<`));
    offer(new Blob([whole], { type: 'text/html' }), `${nameOf(run)}.html`);
  } catch {
    say(t().files.noServer);
  }
};

/** Bytes in pieces, because a call takes only so many arguments. */
function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export const saveOtlp = (run: Run): void => {
  const text = JSON.stringify(otlpOf(run.model, run.summary));
  offer(new Blob([text], { type: 'application/json' }), `${nameOf(run)}.otlp.json`);
};

export type PictureKind = 'png' | 'svg';

/** The stage as it looks now. What draws it is fetched when somebody wants a picture. */
export const savePicture = async (run: Run, kind: PictureKind): Promise<void> => {
  const { makePicture } = await import('./picture/make.ts');
  const made = await makePicture(run, kind);
  if (typeof made === 'string') return say(made);
  offer(made, `${nameOf(run)}-${playhead.getState().step}.${kind}`);
};

/** The present step of the run as an address; without the token, which is nobody else's. */
export const copyLink = async (): Promise<void> => {
  const { traceId, step, level } = playhead.getState();
  if (traceId === null) return;
  const link = location.origin + location.pathname + formatDeepLink({ traceId, step, level });
  try {
    await navigator.clipboard.writeText(link);
    say(t().files.linkCopied);
  } catch {
    say(t().files.link(link));
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
