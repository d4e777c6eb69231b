/** The state of a process as a shape, drawn rather than typed: not every machine's fonts have these signs. */
import type { StatusKind } from '../model/actor-status.ts';

export const SHAPES: Readonly<Record<StatusKind, string | null>> = {
  unborn: null,
  ready: null,
  /** A disc. */
  active: 'M 7 2 A 5 5 0 1 1 6.990 2 Z',
  /** An hourglass. */
  waiting: 'M 2.5 1.5 H 11.5 L 7.7 7 L 11.5 12.5 H 2.5 L 6.3 7 Z',
  /** Two bars. */
  blocked: 'M 3 2 H 6 V 12 H 3 Z M 8 2 H 11 V 12 H 8 Z',
  /** A bolt. */
  struck: 'M 8.5 0.5 L 2.5 8 H 6.2 L 5 13.5 L 11.5 5.6 H 7.6 Z',
  /** A cross. */
  dead: 'M 3.4 2 L 7 5.600 L 10.6 2 L 12 3.400 L 8.4 7 L 12 10.6 L 10.6 12 L 7 8.4 L 3.4 12 L 2 10.6 L 5.6 7 L 2 3.400 Z',
};

export const StatusMark = ({ kind }: { kind: StatusKind }) => {
  const shape = SHAPES[kind];
  if (!shape) return null;
  return (
    <svg
      className="status-mark"
      width="12"
      height="12"
      viewBox="0 0 14 14"
      aria-hidden="true"
      data-mark={kind}
    >
      <path d={shape} fill="currentColor" />
    </svg>
  );
};
