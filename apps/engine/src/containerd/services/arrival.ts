/**
 * Tells the trace of a blob on its way into the store: how much of it is there, and that its bytes are what its name
 * says. Told inside the call that brings it; outside of any trace nothing is told.
 */
import { currentContext } from '../../tracing/context.ts';
import type { Tracer } from '../../tracing/tracer.ts';

/** Of small ones, such as manifests, nobody sees the progress. */
const LARGE_BYTES = 64 * 1024;
const PARTS = 4;

export class Arrival {
  readonly #tracer: Tracer;
  #toldParts = 0;
  #digest = '';

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** After each write. `total` is 0 and `expected` empty when the sender has not said them (again). */
  at(offset: number, total: number, expected: string): void {
    if (expected !== '') this.#digest = expected;
    const parts = total < LARGE_BYTES ? 0 : Math.floor((offset * PARTS) / total);
    if (parts <= this.#toldParts || parts === PARTS) return;
    this.#toldParts = parts;
    // Half of it is a step; the quarters around it are for who looks closely.
    const level = parts === PARTS / 2 ? 'step' : 'detail';
    this.#tell('blob arriving', level, this.#digest, { offset, total });
  }

  verified(digest: string, total: number): void {
    const level = total < LARGE_BYTES ? 'detail' : 'step';
    this.#tell('blob verified', level, digest, { offset: total, total });
  }

  #tell(
    name: string,
    level: 'step' | 'detail',
    digest: string,
    { offset, total }: { readonly offset: number; readonly total: number },
  ): void {
    const context = currentContext();
    if (!context) return;
    this.#tracer.emit({
      type: 'spanEvent',
      spanId: context.spanId,
      name,
      level,
      attributes: {
        ...(digest === '' ? {} : { 'engineroom.blob.digest': digest }),
        'engineroom.blob.offset': offset,
        'engineroom.blob.bytes': total,
      },
      source: __SOURCE__,
    });
  }
}
