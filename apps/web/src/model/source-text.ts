/** Where an event came from: `apps/engine/src/dockerd/daemon/start.ts:41`, and a few lines around that place. */
export interface SourcePlace {
  readonly path: string;
  readonly line: number;
}

export interface SourceLine {
  readonly number: number;
  readonly text: string;
  readonly isMarked: boolean;
}

/** Null for anything but a place in the engine: a trace file may name whatever it likes. */
export const placeOf = (source: string): SourcePlace | null => {
  const [, path, line] =
    /^(apps\/engine\/src\/(?:[\w-]+\/)*[\w.-]+\.ts):(\d{1,6})$/.exec(source) ?? [];
  return path === undefined || path.includes('..') ? null : { path, line: Number(line) };
};

const BEFORE = 10;
const AFTER = 8;

export const excerptOf = (text: string, line: number): readonly SourceLine[] => {
  const lines = text.split('\n');
  const first = Math.max(1, Math.min(line, lines.length) - BEFORE);
  return lines.slice(first - 1, first + BEFORE + AFTER).map((words, index) => ({
    number: first + index,
    text: words,
    isMarked: first + index === line,
  }));
};

/** What the file's header comment names as its counterpart: `Upstream: moby daemon/start.go.` */
export const upstreamOf = (text: string): string | null => {
  const header = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1]?.replace(/\s*\n\s*\*\s?/g, ' ');
  return /Upstream: ([^*]+?)\.?\s*$/.exec(header?.trim() ?? '')?.[1] ?? null;
};
