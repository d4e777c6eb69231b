/**
 * ttrpc's frames: ten bytes of header, then the payload.
 *
 *   u32 length | u32 stream id | u8 type | u8 flags      (big endian; length is the payload's)
 *
 * https://github.com/containerd/ttrpc/blob/main/PROTOCOL.md
 */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const HEADER_BYTES = 10;

export const REQUEST = 1;
export const RESPONSE = 2;
// 3 is data of calls that stream; the services spoken here have none.

export interface Frame {
  readonly streamId: number;
  readonly type: number;
  readonly flags: number;
  /** Null when it was longer than any frame may be: its bytes were skipped. */
  readonly payload: Uint8Array | null;
}

export const encodeTtrpcFrame = (streamId: number, type: number, payload: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt32BE(streamId, 4);
  frame.writeUInt8(type, 8);
  frame.writeUInt8(0, 9);
  frame.set(payload, HEADER_BYTES);
  return frame;
};

/** Cuts a stream of chunks into frames. Never holds more than one frame, whatever the header claims. */
export class TtrpcFrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed = HEADER_BYTES;
  #skip = 0;

  push(chunk: Buffer): void {
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    if (skipped === chunk.length) return;
    this.#chunks.push(chunk.subarray(skipped));
    this.#bytes += chunk.length - skipped;
  }

  next(): Frame | undefined {
    if (this.#bytes < this.#needed) return undefined;
    const all =
      this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks);
    const length = all.readUInt32BE(0);
    const header = {
      streamId: all.readUInt32BE(4),
      type: all.readUInt8(8),
      flags: all.readUInt8(9),
    };
    const end = HEADER_BYTES + length;
    if (length > MAX_FRAME_BYTES) {
      this.#skip = Math.max(0, end - all.length);
      this.#keep(all.subarray(Math.min(end, all.length)));
      return { ...header, payload: null };
    }
    if (all.length < end) {
      this.#chunks = [all];
      this.#needed = end;
      return undefined;
    }
    this.#keep(all.subarray(end));
    return { ...header, payload: all.subarray(HEADER_BYTES, end) };
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    this.#needed = HEADER_BYTES;
  }
}
