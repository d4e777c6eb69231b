/**
 * The crash matrix: who is killed (SIGKILL) × when in the life of a `docker run`.
 * Where the run stands still, a gate of the lab holds it; so the moment is exact and not a matter of luck.
 */
export type Victim = 'lab' | 'dockerd' | 'containerd' | 'shim' | 'runc';

export interface Moment {
  readonly name: string;
  /** The gate at which the run is held; null when the container itself says where it is. */
  readonly gate: string | null;
}

export const MOMENTS = {
  accepted: { name: 'create asked, nothing done', gate: 'request-accepted' },
  listening: { name: 'shim listens, no container', gate: 'shim-listening' },
  mounted: { name: 'root filesystem mounted', gate: 'rootfs-mounted' },
  pivoting: { name: 'runc create, before pivot_root', gate: 'init/pivot_root' },
  created: { name: 'created, not started', gate: 'created-not-started' },
  started: { name: 'just started', gate: null },
  printing: { name: 'prints at full speed', gate: null },
  exited: { name: 'exited, not reaped', gate: 'exited-not-reaped' },
} as const satisfies Readonly<Record<string, Moment>>;

export type MomentKey = keyof typeof MOMENTS;

export interface Cell {
  readonly victim: Victim;
  readonly when: MomentKey;
}

const EVERYWHERE = Object.keys(MOMENTS) as MomentKey[];

/** A shim is there from its listening on, runc only while it creates. */
export const CELLS: readonly Cell[] = [
  ...(['lab', 'dockerd', 'containerd'] as const).flatMap((victim) =>
    EVERYWHERE.map((when) => ({ victim, when })),
  ),
  ...EVERYWHERE.filter((when) => when !== 'accepted').map((when) => ({
    victim: 'shim' as const,
    when,
  })),
  { victim: 'runc', when: 'pivoting' },
];

/** What `npm test` tries: each victim, and each moment at least once. `CRASH_MATRIX=whole` tries all. */
const SAMPLE: readonly (readonly [Victim, MomentKey])[] = [
  ['dockerd', 'accepted'],
  ['dockerd', 'listening'],
  ['dockerd', 'mounted'],
  ['containerd', 'listening'],
  ['containerd', 'pivoting'],
  ['containerd', 'created'],
  ['runc', 'pivoting'],
  ['shim', 'created'],
  ['lab', 'started'],
  ['containerd', 'started'],
  ['shim', 'printing'],
  ['containerd', 'exited'],
];

export const chosenCells = (): readonly Cell[] =>
  process.env['CRASH_MATRIX'] === 'whole'
    ? CELLS
    : CELLS.filter((cell) =>
        SAMPLE.some(([victim, when]) => victim === cell.victim && when === cell.when),
      );

/** The table, with what was seen in each cell that was tried. */
export function drawMatrix(seen: ReadonlyMap<Cell, string>): string {
  const victims = [...new Set(CELLS.map(({ victim }) => victim))];
  const width = Math.max(...EVERYWHERE.map((when) => MOMENTS[when].name.length));
  const wordOf = (victim: Victim, when: MomentKey): string => {
    const cell = CELLS.find((each) => each.victim === victim && each.when === when);
    return cell ? (seen.get(cell) ?? '·') : '';
  };
  const row = (first: string, words: readonly string[]): string =>
    `${first.padEnd(width)} ${words.map((word) => word.padStart(11)).join('')}`;
  return [
    row('', victims),
    ...EVERYWHERE.map((when) =>
      row(
        MOMENTS[when].name,
        victims.map((victim) => wordOf(victim, when)),
      ),
    ),
  ].join('\n');
}
