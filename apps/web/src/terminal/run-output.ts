/** What a run prints, as it comes: the container's bytes and the client's words, each once, until the run has ended. */
import { bytesOf } from '../model/byte-links.ts';
import { traceStore, type Run } from '../trace/trace-store.ts';

type Print = (output: Uint8Array | string) => void;

/** Resolves with the exit code when everything has been printed; null when nobody knows it. */
export const printRun = (traceId: string, print: Print): Promise<number | null> =>
  new Promise((resolve) => {
    const printed = new Set<string>();
    const look = (): void => {
      const run = traceStore.getState().runs.get(traceId);
      if (!run) return;
      printNew(run, printed, print);
      if (run.summary.state !== 'ended' || run.model.length < run.summary.eventCount) return;
      stop();
      resolve(run.summary.exitCode);
    };
    const stop = traceStore.subscribe(look);
    look();
  });

function printNew({ model }: Run, printed: Set<string>, print: Print): void {
  for (const { event } of model.order.placed) {
    if (event.type !== 'output' && event.type !== 'spanEvent') continue;
    if (printed.has(event.id)) continue;
    printed.add(event.id);
    if (event.type === 'output') print(bytesOf(event.base64));
    else {
      const text = event.attributes['engineroom.client.text'];
      if (typeof text === 'string') print(text);
    }
  }
}
