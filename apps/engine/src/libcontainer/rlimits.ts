/**
 * Limits of a single process. getrlimit(2), OCI config.md#posix-process. Upstream: runc libcontainer/process_linux.go.
 */
import { type Compilation, refuse } from './compilation.ts';
import { RLIMIT } from './plan/constants.ts';
import { NULL, number, pack, struct } from './plan/stage-builder.ts';

const isKnown = (type: string): type is keyof typeof RLIMIT => Object.hasOwn(RLIMIT, type);

/** JSON numbers above 2^53 have lost digits, and RLIM_INFINITY is 2^64 - 1: what is that large means "no limit". */
const rlim = (value: number): bigint =>
  value >= Number.MAX_SAFE_INTEGER ? 2n ** 64n - 1n : BigInt(value);

export const setRlimits = (c: Compilation): void => {
  const seen = new Set<string>();
  for (const { type, soft, hard } of c.process.rlimits ?? []) {
    if (!isKnown(type)) return refuse(`invalid rlimit type: ${type}`);
    if (seen.has(type)) refuse(`rlimit ${type} is given twice`);
    seen.add(type);
    const limits = pack([
      [8, rlim(soft)],
      [8, rlim(hard)],
    ]);
    c.init.call(
      'prlimit64',
      [
        number(0),
        number(RLIMIT[type], type),
        struct({ bytes: limits }, `{rlim_cur=${soft}, rlim_max=${hard}}`),
        NULL,
      ],
      {
        title: `${type}: ${soft}, at most ${hard}`,
        object: 'limit',
        source: __SOURCE__,
        reference: 'man:getrlimit(2)',
        purpose: `rlimit ${RLIMIT[type]}`,
      },
    );
  }
};
