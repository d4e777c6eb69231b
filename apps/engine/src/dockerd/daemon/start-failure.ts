/** Why a program could not be started, as an exit code. Upstream: moby daemon/errors.go setExitCodeFromError. */
import { EngineError, messageOf } from '../../protocol/errdefs.ts';

const EACCES = 'permission denied';
const NOT_FOUND = [
  'executable file not found',
  'no such file or directory',
  'system cannot find the file specified',
];

/**
 * The docker CLI tells 126 and 127 from 125 by the words of this message, so they are part of the protocol.
 */
export const startFailure = (
  error: unknown,
  otherwise = 128,
): { exitCode: number; error: EngineError } => {
  const message = messageOf(error);
  const lower = message.toLowerCase();
  const invalid = (exitCode: number, text: string) => ({
    exitCode,
    error: new EngineError('invalid_argument', text, { cause: error }),
  });
  if (lower.includes(EACCES)) return invalid(126, message);
  if (lower.includes('is a directory')) return invalid(126, `${message}: ${EACCES}`);
  if (lower.includes('not a directory')) {
    return invalid(
      127,
      `${message}: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type`,
    );
  }
  if (NOT_FOUND.some((words) => lower.includes(words))) return invalid(127, message);
  return {
    exitCode: otherwise,
    error:
      error instanceof EngineError && error.kind !== 'internal'
        ? error
        : new EngineError('unknown', message, { cause: error }),
  };
};
