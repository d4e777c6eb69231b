/**
 * Several containers share the lane of containers, each in a column of its own: shim, runc and container one below the
 * other, because they live and die together. One that is in focus is wide, and the others step back.
 */
import type { Box } from './layout.ts';

export interface Column {
  readonly id: string;
  readonly box: Box;
  /** How much of a process there is room for: its name and pid, its name, or its sign alone. */
  readonly detail: 'whole' | 'name' | 'sign';
}

export interface Columns {
  readonly shown: readonly Column[];
  /** More containers than there is room for: how many, and where that is said. */
  readonly rest: { readonly count: number; readonly box: Box } | null;
}

const GAP = 10;
const LEAST = 56;
const WHOLE_FROM = 168;
const NAME_FROM = 104;
const MOST = 320;
const FOCUS_SHARE = 0.36;
/** For the number of those that found no place. */
const REST = 56;

export const HEAD = 24;
const ROW_GAP = 4;

export const layoutColumns = (room: Box, ids: readonly string[], focus: string | null): Columns => {
  const wide = focus === null ? 0 : Math.max(200, Math.min(MOST, room.width * FOCUS_SHARE));
  const fits = (width: number): number =>
    Math.floor((width - wide + GAP) / (LEAST + GAP)) + (focus === null ? 0 : 1);
  const count =
    fits(room.width) >= ids.length ? ids.length : Math.max(1, fits(room.width - REST - GAP));
  const visible = around(ids, focus, count);
  const hidden = ids.length - visible.length;
  const inner = room.width - (hidden > 0 ? REST + GAP : 0) - GAP * (visible.length - 1);
  const others = visible.length - (focus === null ? 0 : 1);
  const each = others === 0 ? 0 : Math.min(MOST, (inner - wide) / others);
  let x = room.x;
  const shown = visible.map((id) => {
    const width = id === focus ? wide : each;
    const column = { id, box: { ...room, x, width }, detail: detailFor(width) };
    x += width + GAP;
    return column;
  });
  const rest = hidden > 0 ? { count: hidden, box: { ...room, x, width: REST } } : null;
  return { shown, rest };
};

const detailFor = (width: number): Column['detail'] =>
  width >= WHOLE_FROM ? 'whole' : width >= NAME_FROM ? 'name' : 'sign';

/** So many in their order, and the one in focus among them. */
function around(ids: readonly string[], focus: string | null, count: number): readonly string[] {
  const at = Math.max(0, focus === null ? 0 : ids.indexOf(focus));
  const from = Math.max(0, Math.min(at - Math.floor(count / 2), ids.length - count));
  return ids.slice(from, from + count);
}

/** The head of a column, and the three below it from top to bottom. */
export const rowsOf = ({ x, y, width, height }: Box): readonly Box[] => {
  const tall = (height - HEAD - 3 * ROW_GAP) / 3;
  return [
    { x, y, width, height: HEAD },
    ...[0, 1, 2].map((row) => ({
      x,
      y: y + HEAD + ROW_GAP + row * (tall + ROW_GAP),
      width,
      height: tall,
    })),
  ];
};
