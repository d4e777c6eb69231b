/**
 * `docker attach`: a client's bytes to the container's stdin, the container's output to the client.
 * It may come before the start, and then waits for it. Upstream: moby daemon/attach.go, daemon/container/stream.
 */
import type { Duplex, Writable } from 'node:stream';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import { messageOf } from '../../protocol/errdefs.ts';
import type { Container } from '../container/container.ts';
import { DetachKeys } from '../container/detach-keys.ts';
import type { OutputSink } from '../logger/output-hub.ts';
import { readLog } from '../logger/log-reader.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';

export interface AttachOptions {
  readonly hasStdin: boolean;
  readonly hasStdout: boolean;
  readonly hasStderr: boolean;
  /** What came before, from the log. */
  readonly hasLogs: boolean;
  /** What comes from now on. */
  readonly hasStream: boolean;
  /** What leaves a terminal without ending anything; null where there is none. */
  readonly detachKeys: Buffer | null;
  /** How output looks on the wire: framed, or raw for a terminal. */
  readonly encode: (stream: StreamName, bytes: Buffer) => Uint8Array;
}

/** Precondition: the answer's head is on the wire already; from here the connection belongs to us. */
export const attach = async (
  daemon: Daemon,
  container: Container,
  connection: Duplex,
  options: AttachOptions,
): Promise<void> => {
  const gone = new AbortController();
  connection.once('close', () => gone.abort());
  const { hub } = container;
  const sink: OutputSink = {
    wants: { stdout: options.hasStdout, stderr: options.hasStderr },
    write: (stream, bytes) =>
      connection.destroyed || connection.write(options.encode(stream, bytes)),
    // Half-close: what was written is still delivered.
    end: () => connection.end(),
  };
  // Without a listener for data nobody would notice that the client is gone.
  if (!options.hasStdin) connection.resume();
  if (options.hasLogs) await replay(container, connection, options, gone.signal);
  if (!options.hasStream) {
    connection.end();
    return;
  }
  connection.on('drain', () => hub.drained(sink));
  connection.once('close', () => hub.delete(sink));
  hub.add(sink);
  daemon.events.emit(containerEvent(container, 'attach'));
  if (!options.hasStdin) return;
  const isLeaving = await feedStdin(daemon, container, connection, {
    detachKeys: options.detachKeys,
    signal: gone.signal,
  });
  if (!isLeaving) return;
  hub.delete(sink);
  connection.end();
  daemon.events.emit(containerEvent(container, 'detach'));
};

const replay = async (
  container: Container,
  connection: Duplex,
  options: AttachOptions,
  signal: AbortSignal,
): Promise<void> => {
  const { logFile } = container;
  if (logFile === null) return;
  await container.run?.log.flush();
  const everything = { tail: null, since: 0, until: 0 };
  for await (const { stream, bytes } of readLog(logFile, everything, null, signal)) {
    const isWanted = stream === 'stdout' ? options.hasStdout : options.hasStderr;
    if (!isWanted) continue;
    if (!connection.write(options.encode(stream, bytes))) {
      await new Promise<void>((resolve) => {
        connection.once('drain', resolve);
        connection.once('close', resolve);
      });
    }
  }
};

/** Bytes wait in the socket until the container runs. True when the user has typed the keys to leave. */
const feedStdin = async (
  daemon: Daemon,
  container: Container,
  connection: Duplex,
  { detachKeys, signal }: { readonly detachKeys: Buffer | null; readonly signal: AbortSignal },
): Promise<boolean> => {
  if (!container.run) await container.nextStart(signal);
  const { run } = container;
  const stdin = run?.stdin;
  if (!run || !stdin || signal.aborted) {
    connection.resume();
    return false;
  }
  if (await pump(connection, stdin, detachKeys)) {
    connection.resume();
    return true;
  }
  const { StdinOnce, Tty } = container.record.config;
  // A terminal has no end of input, and a container that keeps its stdin waits for the next client.
  if (!Tty && StdinOnce && container.run === run) {
    run.closeStdin();
    await daemon.tasks.closeStdin(container.id).catch((error: unknown) => {
      // It has exited meanwhile: then there is no stdin to close.
      if (container.run !== run) return;
      process.stderr.write(`dockerd: closing stdin of ${container.id}: ${messageOf(error)}\n`);
    });
  }
  connection.resume();
  return false;
};

/**
 * Until the client's end or the container's. One chunk at a time: the container's pace is the client's.
 * True when the user has typed the keys to leave.
 */
export const pump = async (
  connection: Duplex,
  stdin: Writable,
  detachKeys: Buffer | null,
): Promise<boolean> => {
  const keys = detachKeys && new DetachKeys(detachKeys);
  try {
    // What remains of the connection after the end of its input still carries output.
    for await (const chunk of connection.iterator({ destroyOnReturn: false })) {
      if (stdin.destroyed) return false;
      const typed = chunk as Buffer;
      const { passed, isLeaving } = keys?.read(typed) ?? { passed: typed, isLeaving: false };
      await new Promise<void>((resolve) => {
        stdin.write(passed, () => resolve());
      });
      if (isLeaving) return true;
    }
  } catch {
    // The client is gone, which ends its input too.
  }
  return false;
};
