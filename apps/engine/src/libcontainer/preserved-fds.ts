/**
 * `--preserve-fds N`: descriptors of the caller's that the container's program gets as 3, 4 and on.
 * On the way they lie where the great closing does not reach, close-on-exec as all else; only their last copies are not.
 * dup(2). Upstream: runc utils_linux.go (runner), libcontainer/process.go (ExtraFiles).
 */
import { type Compilation, FD, refuse } from './compilation.ts';
import { openFlags } from './plan/constants.ts';
import { flags, number } from './plan/stage-builder.ts';
import type { Plan } from './plan/step.ts';

const FIRST = 3;
/** All that the helper is handed must lie below the first descriptor that init keeps. */
const MOST = 40;

const countOf = (c: Compilation): number => c.preservedFds ?? 0;

/** Behind the sources of bind mounts, of which there are at most as many as mounts. */
const placeOf = (c: Compilation, index: number): number =>
  FD.firstHeldSource + (c.spec.mounts ?? []).length + index;

export const checkPreservedFds = (c: Compilation): void => {
  if (countOf(c) > MOST)
    refuse(`--preserve-fds ${countOf(c)}: at most ${MOST} descriptors can be preserved`);
};

/** The record pipe gives way where the program wants its number. */
export const recordFdFor = (c: Compilation): Pick<Plan, 'recordFd'> =>
  countOf(c) === 0 ? {} : { recordFd: placeOf(c, countOf(c)) };

/** Precondition: the spawner has handed them in from `first` on. */
export const holdPreservedFds = (c: Compilation, first: number): void => {
  const { O_CLOEXEC } = openFlags(c.facts.architecture);
  for (let index = 0; index < countOf(c); index++) {
    c.init.call(
      'dup3',
      [number(first + index), number(placeOf(c, index)), flags({ O_CLOEXEC }, O_CLOEXEC)],
      {
        title: `keep the caller's descriptor for ${FIRST + index} out of the way`,
        object: 'stdio',
        source: __SOURCE__,
        reference: 'man:dup(2)',
        purpose: 'stdio',
      },
    );
  }
};

/** Precondition: nothing of the host's is open from 3 on. Postcondition: the program will inherit them. */
export const handPreservedFdsOver = (c: Compilation): void => {
  for (let index = 0; index < countOf(c); index++) {
    c.init.call('dup3', [number(placeOf(c, index)), number(FIRST + index), number(0)], {
      title: `the program gets a descriptor of its caller's as ${FIRST + index}`,
      object: 'stdio',
      source: __SOURCE__,
      reference: 'man:dup(2)',
      purpose: 'stdio',
    });
  }
};
