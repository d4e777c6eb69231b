/** `docker logs`. Upstream: moby daemon/logs.go. */
import { EngineError } from '../../protocol/errdefs.ts';
import type { Container } from '../container/container.ts';
import { isRunning } from '../container/container-state.ts';
import type { LogEntry } from '../logger/log-entry.ts';
import { readLog, type LogFollower, type LogQuery } from '../logger/log-reader.ts';

/** As in Docker it ends with the run, whether the container is started again or not. */
const follower = (container: Container): LogFollower => {
  const { run } = container;
  return {
    isOpen: () => container.run !== null && container.run === run,
    watch: (callback) => {
      const stop = run?.log.watch(callback);
      const abort = new AbortController();
      // The end is a change too.
      const tellEnd = async (): Promise<void> => {
        await container.nextExit(abort.signal);
        callback();
      };
      // Ends with the exit, or never: an aborted wait is forgotten.
      void tellEnd();
      return () => {
        stop?.();
        abort.abort();
      };
    },
  };
};

export const logs = async (
  container: Container,
  query: LogQuery & { readonly isFollowing: boolean },
  signal: AbortSignal,
): Promise<AsyncGenerator<LogEntry>> => {
  const { logFile } = container;
  if (logFile === null) {
    throw new EngineError('not_implemented', 'configured logging driver does not support reading');
  }
  if (query.isFollowing) await container.settled();
  return readLog(
    logFile,
    query,
    query.isFollowing && isRunning(container.state) ? follower(container) : null,
    signal,
  );
};
