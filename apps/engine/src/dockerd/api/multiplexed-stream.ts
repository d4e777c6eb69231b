/**
 * How a container's output looks on the wire: framed, so that stdout and stderr stay apart, or raw for a terminal.
 * Upstream: moby daemon/server/router/container/container_routes.go.
 */
import {
  encodeFrame,
  MULTIPLEXED_STREAM,
  RAW_STREAM,
  type StreamName,
} from '../../protocol/docker-engine-api/frame.ts';
import { compareVersions } from '../../protocol/docker-engine-api/versions.ts';

/** Before 1.42 both had the name of the raw one. */
export const streamContentType = (version: string, isTerminal: boolean): string =>
  !isTerminal && compareVersions(version, '1.42') >= 0 ? MULTIPLEXED_STREAM : RAW_STREAM;

export const streamEncoder =
  (isTerminal: boolean): ((stream: StreamName, bytes: Buffer) => Uint8Array) =>
  (stream, bytes) =>
    isTerminal ? bytes : encodeFrame(stream, bytes);
