/**
 * The frames of a multiplexed stream (attach, logs): one byte stream, two outputs.
 *
 *     0        1 2 3      4 5 6 7           8 …
 *     stream   0 0 0      length (u32 be)   payload
 *
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Container/operation/ContainerAttach
 */

export type StreamName = 'stdout' | 'stderr';
const STREAM_ID = { stdout: 1, stderr: 2 } as const;
export const FRAME_HEADER_BYTES = 8;

/** Content types of an answer that is a stream: frames (said so since API 1.42), or bytes as they are. */
export const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';
export const RAW_STREAM = 'application/vnd.docker.raw-stream';

export const encodeFrame = (stream: StreamName, payload: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  frame[0] = STREAM_ID[stream];
  new DataView(frame.buffer).setUint32(4, payload.length);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
};

export interface Frame {
  readonly stream: StreamName;
  readonly payload: Uint8Array;
}

/** Cuts arriving bytes into frames; keeps what is incomplete for the next call. */
export class FrameDecoder {
  #rest: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): Frame[] {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(4);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > bytes.length) break;
      const stream = bytes[at] === STREAM_ID.stderr ? 'stderr' : 'stdout';
      frames.push({ stream, payload: bytes.subarray(at + FRAME_HEADER_BYTES, end) });
      at = end;
    }
    this.#rest = bytes.slice(at);
    return frames;
  }

  /** Bytes of a frame that never became whole. */
  get pendingBytes(): number {
    return this.#rest.length;
  }
}
