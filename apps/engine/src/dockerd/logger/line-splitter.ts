/**
 * Bytes as they come from a stream → what becomes one log entry each: a line with its newline, or 16 KiB of a
 * line that is longer. Upstream: moby daemon/logger/copier.go.
 */

export const MAX_ENTRY_BYTES = 16 * 1024;
const NEWLINE = 0x0a;

export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const entries: Buffer[] = [];
    let at = 0;
    while (at < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, at);
      let end = newline < 0 ? bytes.length : newline + 1;
      // The newline itself does not count: a line of exactly 16 KiB is one entry.
      const textEnd = newline < 0 ? end : newline;
      if (textEnd - at > MAX_ENTRY_BYTES) end = at + MAX_ENTRY_BYTES;
      else if (newline < 0) break;
      entries.push(bytes.subarray(at, end));
      at = end;
    }
    // A copy: the chunk's memory may be used again.
    this.#rest = Buffer.from(bytes.subarray(at));
    return entries;
  }

  /** At the end of the stream: the line that never got its newline. */
  finish(): Buffer | null {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length > 0 ? rest : null;
  }
}
