/**
 * How gRPC puts messages into an HTTP/2 stream: one byte (compressed or not), four bytes of length, the message.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { EngineError } from '../protocol/errdefs.ts';

export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const HEADER_BYTES = 5;

export const encodeFrame = (message: Uint8Array): Buffer => {
  if (message.length > MAX_MESSAGE_BYTES)
    throw new MessageTooLarge(
      `trying to send message larger than max (${message.length} vs. ${MAX_MESSAGE_BYTES})`,
    );
  const frame = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, HEADER_BYTES);
  return frame;
};

/** Cuts a stream of chunks, which fall as they like, into messages. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** What must have arrived before the next look is worth it: keeps long messages linear. */
  #needed = HEADER_BYTES;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole message, or undefined. Throws on what no gRPC peer sends. */
  next(): Uint8Array | undefined {
    if (this.#bytes < this.#needed) return undefined;
    const all = this.#joined();
    if (all.readUInt8(0) !== 0)
      throw new EngineError(
        'not_implemented',
        'grpc: Decompressor is not installed for grpc-encoding',
      );
    const length = all.readUInt32BE(1);
    if (length > MAX_MESSAGE_BYTES)
      throw new MessageTooLarge(
        `grpc: received message larger than max (${length} vs. ${MAX_MESSAGE_BYTES})`,
      );
    const end = HEADER_BYTES + length;
    if (all.length < end) {
      this.#needed = end;
      return undefined;
    }
    const rest = all.subarray(end);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    this.#needed = HEADER_BYTES;
    return all.subarray(HEADER_BYTES, end);
  }

  /** Bytes that wait for the rest of their message. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first && this.#chunks.length === 1) return first;
    const all = Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [all];
    return all;
  }
}

/** Its code is RESOURCE_EXHAUSTED, for which Docker has no kind of error. */
export class MessageTooLarge extends EngineError {
  constructor(message: string) {
    super('invalid_argument', message);
  }
}
