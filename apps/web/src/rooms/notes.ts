/** A presenter's notes: plain text; a line that begins with `[9]` belongs to step 9 and stays until the next such line. */
export const notesAt = (text: string, step: number): string => {
  let from = -1;
  const kept: string[] = [];
  for (const line of text.split('\n')) {
    const [, marker, rest = ''] = /^\s*\[(\d{1,4})\]\s?(.*)$/.exec(line) ?? [];
    if (marker === undefined) {
      if (from <= step) kept.push(line);
      continue;
    }
    from = Number(marker);
    if (from > step) continue;
    kept.length = 0;
    kept.push(rest);
  }
  return kept.join('\n').trim();
};
