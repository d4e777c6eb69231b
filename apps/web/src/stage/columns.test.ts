import { describe, expect, test } from 'vitest';
import { layoutColumns, rowsOf } from './columns.ts';

const ROOM = { x: 30, y: 200, width: 780, height: 160 };
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `c${index}`);

const isApart = (boxes: readonly { readonly x: number; readonly width: number }[]): boolean =>
  boxes.every((box, index) => {
    const next = boxes[index + 1];
    return !next || box.x + box.width <= next.x;
  });

describe('the columns of several containers', () => {
  test.each([2, 3, 5, 8, 11, 12, 40])('%i of them keep inside the lane and apart', (count) => {
    for (const focus of [null, 'c0', `c${count - 1}`]) {
      const { shown, rest } = layoutColumns(ROOM, ids(count), focus);
      const boxes = [...shown.map(({ box }) => box), ...(rest ? [rest.box] : [])];

      expect(isApart(boxes)).toBe(true);
      expect(boxes[0]?.x).toBe(ROOM.x);
      const last = boxes.at(-1);
      expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(ROOM.x + ROOM.width + 0.001);
      expect(shown.length + (rest?.count ?? 0)).toBe(count);
      if (focus !== null) expect(shown.map(({ id }) => id)).toContain(focus);
    }
  });

  test('up to eleven have a column here, and of more it is said how many are left out', () => {
    expect(layoutColumns(ROOM, ids(11), null).rest).toBeNull();
    expect(layoutColumns(ROOM, ids(40), null).rest?.count).toBe(30);
  });

  test('the one in focus has the room, and the others keep their order', () => {
    const { shown } = layoutColumns(ROOM, ids(6), 'c3');

    expect(shown.map(({ id }) => id)).toEqual(ids(6));
    expect(shown.map(({ detail }) => detail)).toEqual([
      'sign',
      'sign',
      'sign',
      'whole',
      'sign',
      'sign',
    ]);
  });

  test('head and three processes fill a column from top to bottom', () => {
    const rows = rowsOf({ x: 0, y: 10, width: 100, height: 150 });

    expect(rows).toHaveLength(4);
    expect(rows[0]?.y).toBe(10);
    expect((rows[3]?.y ?? 0) + (rows[3]?.height ?? 0)).toBeCloseTo(160);
  });
});
