/** Messages out of and into one HTTP/2 stream, at the pace of the slower side. */
import { fromBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { once } from 'node:events';
import type { Http2Stream } from 'node:http2';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { FrameReader } from './grpc-frame.ts';

export const decode = <D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> => {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw new EngineError('internal', `grpc: error unmarshalling message: ${messageOf(error)}`);
  }
};

/** The messages' bytes. Ends with the stream; a half message at the end is an error. */
export async function* readFrames(stream: Http2Stream): AsyncGenerator<Uint8Array> {
  const reader = new FrameReader();
  // The stream outlives the iteration: a caller that needs one message still answers on it.
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of chunks) {
    reader.push(chunk);
    for (let frame = reader.next(); frame; frame = reader.next()) yield frame;
  }
  if (reader.pendingBytes > 0) throw new EngineError('internal', 'grpc: unexpected EOF');
}

export async function* readMessages<D extends DescMessage>(
  stream: Http2Stream,
  schema: D,
): AsyncGenerator<MessageShape<D>> {
  for await (const frame of readFrames(stream)) yield decode(schema, frame);
}

/** Resolves when the stream can take more; rejects when it is gone. */
export const writeFrame = async (stream: Http2Stream, frame: Buffer): Promise<void> => {
  if (stream.destroyed || stream.closed) throw new EngineError('cancelled', 'context canceled');
  if (stream.write(frame)) return;
  const stop = new AbortController();
  try {
    await Promise.race([
      once(stream, 'drain', { signal: stop.signal }),
      once(stream, 'close', { signal: stop.signal }),
    ]);
  } finally {
    stop.abort();
  }
  if (stream.destroyed) throw new EngineError('cancelled', 'context canceled');
};
