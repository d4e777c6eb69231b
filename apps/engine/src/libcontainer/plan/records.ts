/**
 * Bytes of the record pipe → step records. `struct step_record` in native/src/plan.h.
 */
import type { StepRecord } from './step.ts';

export const RECORD_SIZE = 48;

/** Takes whatever the pipe gives and hands out the records that are complete. */
export class RecordParser {
  #rest: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): StepRecord[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const whole = bytes.length - (bytes.length % RECORD_SIZE);
    this.#rest = bytes.slice(whole);
    const view = new DataView(bytes.buffer);
    const records: StepRecord[] = [];
    for (let at = 0; at < whole; at += RECORD_SIZE) records.push(parseRecord(view, at));
    return records;
  }
}

const parseRecord = (view: DataView, at: number): StepRecord => ({
  stage: view.getUint32(at, true) === 0 ? 'parent' : 'init',
  index: view.getUint32(at + 4, true),
  beginMono: view.getBigUint64(at + 8, true),
  endMono: view.getBigUint64(at + 16, true),
  result: view.getBigInt64(at + 24, true),
  errno: view.getInt32(at + 32, true),
  pid: view.getUint32(at + 36, true),
});
