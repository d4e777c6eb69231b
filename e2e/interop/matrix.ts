/** The table of who runs with whom: a row for each stack, a column for each command. */
import type { Stack } from './parties.ts';

export class Matrix {
  readonly #columns: readonly string[];
  readonly #rows: {
    readonly stack: Stack;
    readonly ok: Set<string>;
    readonly tried: Set<string>;
  }[] = [];

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  /** Runs the work of a cell; a cell that has thrown is not ok. */
  async cell(stack: Stack, column: string, work: () => Promise<void>): Promise<void> {
    const row = this.#rowOf(stack);
    row.tried.add(column);
    await work();
    row.ok.add(column);
  }

  draw(): string {
    const heads = ['dockerd', 'containerd', 'shim', 'runtime'] as const;
    const widths = [...heads, ...this.#columns].map((head) => Math.max(head.length, 5) + 1);
    const line = (words: readonly string[]): string =>
      words
        .map((word, index) => word.padEnd(widths[index] ?? 0))
        .join('')
        .trimEnd();
    const rows = this.#rows.map(({ stack, ok, tried }) =>
      line([
        ...heads.map((head) => stack[head]),
        ...this.#columns.map((column) =>
          ok.has(column) ? 'ok' : tried.has(column) ? 'FAILS' : '·',
        ),
      ]),
    );
    return [line([...heads, ...this.#columns]), ...rows].join('\n');
  }

  get failures(): number {
    return this.#rows.reduce((sum, { ok, tried }) => sum + tried.size - ok.size, 0);
  }

  #rowOf(stack: Stack) {
    const known = this.#rows.find((row) => row.stack === stack);
    if (known) return known;
    const row = { stack, ok: new Set<string>(), tried: new Set<string>() };
    this.#rows.push(row);
    return row;
  }
}
