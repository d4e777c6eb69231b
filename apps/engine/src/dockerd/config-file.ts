/**
 * daemon.json: read at the start and again at SIGHUP. Of its directives this daemon knows live-restore, which may
 * change while containers run; every other one is refused by name.
 * Upstream: moby daemon/config/config.go (MergeDaemonConfigurations), daemon/reload.go.
 */
import { readFileSync } from 'node:fs';
import { EngineError, messageOf } from '../protocol/errdefs.ts';

export interface ConfigFile {
  readonly liveRestore: boolean | null;
}

const KNOWN = 'live-restore';

/** Precondition: `path` was given on the command line, so a file that is not there is an error. */
export const readConfigFile = (path: string): ConfigFile => {
  const complain = (problem: string, cause?: unknown): EngineError =>
    new EngineError(
      'invalid_argument',
      `unable to configure the Docker daemon with file ${path}: ${problem}`,
      { cause },
    );
  let value: unknown;
  try {
    const text = readFileSync(path, 'utf8').trim();
    value = text === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw complain(messageOf(error), error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw complain('it is not a JSON object');
  const unknown = Object.keys(value).filter((key) => key !== KNOWN);
  if (unknown.length > 0) {
    throw complain(
      `the following directives don't match any configuration option: ${unknown.join(', ')}`,
    );
  }
  const liveRestore: unknown = Reflect.get(value, KNOWN);
  if (liveRestore === undefined) return { liveRestore: null };
  if (typeof liveRestore !== 'boolean') throw complain(`${KNOWN} is neither true nor false`);
  return { liveRestore };
};

/** The same thing said in both places is an error in Docker, even where they agree. */
export const refuseConflict = (path: string, file: ConfigFile, flag: boolean | undefined): void => {
  if (file.liveRestore === null || flag === undefined) return;
  throw new EngineError(
    'invalid_argument',
    `unable to configure the Docker daemon with file ${path}: the following directives are specified both as a flag ` +
      `and in the configuration file: ${KNOWN}: (from flag: ${flag}, from file: ${file.liveRestore})`,
  );
};
