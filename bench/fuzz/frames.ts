/** What the daemons say to one another: frames of ttrpc and gRPC, and the multiplexed stream of an attach. */
import fc from 'fast-check';
import {
  FrameDecoder,
  encodeFrame,
} from '../../apps/engine/src/protocol/docker-engine-api/frame.ts';
import {
  encodeFrame as encodeGrpcFrame,
  FrameReader,
  MAX_MESSAGE_BYTES,
} from '../../apps/engine/src/transport/grpc-frame.ts';
import {
  encodeTtrpcFrame,
  MAX_FRAME_BYTES,
  REQUEST,
  RESPONSE,
  TtrpcFrameReader,
} from '../../apps/engine/src/transport/ttrpc-frame.ts';
import { cuts, mutatedBytes, pieces } from './mutate.ts';
import { target, type Target } from './target.ts';

/** A field of protobuf that has a length: https://protobuf.dev/programming-guides/encoding/ */
const field = (number: number, value: string | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), Buffer.from(value)]);

/** protocol/task/ttrpc.proto: Request. */
const request = Buffer.concat([
  field(1, 'containerd.task.v2.Task'),
  field(2, 'State'),
  field(3, new Uint8Array(40).fill(7)),
  field(5, Buffer.concat([field(1, 'containerd-namespace-ttrpc'), field(2, 'moby')])),
]);

/** Two calls, one after the other. */
export const TTRPC_SAMPLE = Buffer.concat([
  encodeTtrpcFrame(1, REQUEST, request),
  encodeTtrpcFrame(3, RESPONSE, new Uint8Array(3)),
]);

const must = (isTrue: boolean, sentence: string): void => {
  if (!isTrue) throw new Error(sentence);
};

export const FRAMES: readonly Target[] = [
  target('ttrpc frames', {
    inputs: fc.tuple(mutatedBytes(TTRPC_SAMPLE, new Uint8Array(0)), cuts),
    open: () => ({
      feed: ([bytes, at]) => {
        const reader = new TtrpcFrameReader();
        let read = 0;
        for (const piece of pieces(bytes, at)) {
          reader.push(piece);
          for (let frame = reader.next(); frame; frame = reader.next()) {
            read += 10 + (frame.payload?.length ?? 0);
            must((frame.payload?.length ?? 0) <= MAX_FRAME_BYTES, 'a frame that is too long');
          }
        }
        must(read <= bytes.length, 'more was read than was sent');
      },
    }),
  }),
  target('gRPC frames', {
    inputs: fc.tuple(
      mutatedBytes(
        Buffer.concat([encodeGrpcFrame(request), encodeGrpcFrame(new Uint8Array(0))]),
        encodeGrpcFrame(new Uint8Array(300)),
      ),
      cuts,
    ),
    open: () => ({
      feed: ([bytes, at]) => {
        const reader = new FrameReader();
        let read = 0;
        for (const piece of pieces(bytes, at)) {
          reader.push(piece);
          for (let message = reader.next(); message; message = reader.next()) {
            read += 5 + message.length;
            must(message.length <= MAX_MESSAGE_BYTES, 'a message that is too long');
          }
        }
        must(read + reader.pendingBytes === bytes.length, 'bytes were lost or made up');
      },
    }),
  }),
  target('multiplexed stream', {
    inputs: fc.tuple(
      mutatedBytes(
        Buffer.concat([
          encodeFrame('stdout', Buffer.from('out\n')),
          encodeFrame('stderr', request),
        ]),
      ),
      cuts,
    ),
    open: () => ({
      feed: ([bytes, at]) => {
        const decoder = new FrameDecoder();
        let read = 0;
        for (const piece of pieces(bytes, at))
          for (const { payload } of decoder.push(piece)) read += 8 + payload.length;
        must(read + decoder.pendingBytes === bytes.length, 'bytes were lost or made up');
      },
    }),
  }),
];
