/** `--ulimit nofile=1024:2048` → rlimits. See getrlimit(2), prlimit(1). Upstream: github.com/docker/go-units ulimit.go. */
import type { Ulimit } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Process } from '../../protocol/oci/runtime-spec.ts';

const NAMES = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
);
/** RLIM_INFINITY does not fit into a double; JSON carries the largest number that does, which no limit reaches. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

const limit = (value: number): number => (value < 0 ? UNLIMITED : value);

export const containerRlimits = (ulimits: readonly Ulimit[]): NonNullable<Process['rlimits']> =>
  ulimits.map(({ Name, Soft, Hard }) => {
    const name = Name.toLowerCase();
    if (!NAMES.has(name)) {
      throw new EngineError('invalid_argument', `invalid ulimit type: ${Name}`);
    }
    if (limit(Soft) > limit(Hard)) {
      throw new EngineError(
        'invalid_argument',
        `ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`,
      );
    }
    return { type: `RLIMIT_${name.toUpperCase()}`, soft: limit(Soft), hard: limit(Hard) };
  });
