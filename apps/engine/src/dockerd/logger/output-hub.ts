/**
 * Hands a container's output to whoever is attached. Bytes are never dropped for a slow client: the hub says that it is
 * congested, and the pump stops reading the FIFO until the client has caught up or is gone.
 * Upstream: moby daemon/internal/stream.
 */
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';

/** One attached client. */
export interface OutputSink {
  readonly wants: Readonly<Record<StreamName, boolean>>;
  /** False: no more before `onDrain` has been called back. */
  write(stream: StreamName, bytes: Buffer): boolean;
  /** The run is over and everything has been written. */
  end(): void;
}

export class OutputHub {
  readonly #sinks = new Map<OutputSink, { isCongested: boolean }>();
  #onRelief: (() => void)[] = [];

  get isCongested(): boolean {
    for (const { isCongested } of this.#sinks.values()) if (isCongested) return true;
    return false;
  }

  get size(): number {
    return this.#sinks.size;
  }

  add(sink: OutputSink): void {
    this.#sinks.set(sink, { isCongested: false });
  }

  /** The client is gone. */
  delete(sink: OutputSink): void {
    this.#sinks.delete(sink);
    this.#relieve();
  }

  /** The client has read what was written to it. */
  drained(sink: OutputSink): void {
    const state = this.#sinks.get(sink);
    if (state) state.isCongested = false;
    this.#relieve();
  }

  /** Called back once, as soon as nobody is congested. */
  onRelief(callback: () => void): void {
    this.#onRelief.push(callback);
  }

  write(stream: StreamName, bytes: Buffer): void {
    for (const [sink, state] of this.#sinks) {
      if (sink.wants[stream] && !sink.write(stream, bytes)) state.isCongested = true;
    }
  }

  /** The run is over: everybody is told and let go. */
  end(): void {
    const sinks = [...this.#sinks.keys()];
    this.#sinks.clear();
    for (const sink of sinks) sink.end();
  }

  #relieve(): void {
    if (this.isCongested) return;
    const callbacks = this.#onRelief;
    this.#onRelief = [];
    for (const callback of callbacks) callback();
  }
}
