/**
 * The time as clients of containerd expect it: finer than milliseconds, because they compare it with what they read
 * themselves just before and just after a call.
 */
import { create } from '@bufbuild/protobuf';
import { TimestampSchema, type Timestamp } from '@bufbuild/protobuf/wkt';

/** Milliseconds since 1970, with a fraction. */
export const nowMs = (): number => {
  const coarse = Date.now();
  const fine = performance.timeOrigin + performance.now();
  // The fine one counts from the start of the process: whoever sets the machine's clock is believed.
  return fine >= coarse && fine < coarse + 2 ? fine : coarse;
};

export const timestampOf = (ms: number): Timestamp => {
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.floor((ms - seconds * 1000) * 1e6);
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos });
};
