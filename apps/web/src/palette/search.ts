/** Which commands are meant by some letters: each word begins a word of the command, or stands somewhere in it. */
import type { Command } from './commands.ts';

/** Ä is found by a. */
const plain = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();

/** The best first; what is as good as another keeps its place. */
export const search = (
  commands: readonly Command[],
  query: string,
  groupWords: Readonly<Record<string, string>>,
): readonly Command[] => {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return commands;
  return commands
    .flatMap((command) => {
      const points = pointsOf(command, groupWords[command.group] ?? '', words);
      return points === null ? [] : [{ command, points }];
    })
    .sort((a, b) => b.points - a.points)
    .map(({ command }) => command);
};

function pointsOf(command: Command, group: string, words: readonly string[]): number | null {
  const name = plain(command.words);
  const rest = plain(`${group} ${command.aside ?? ''}`);
  let points = 0;
  for (const word of words) {
    const at = name.indexOf(word);
    const isStart = at === 0 || ` ${name.replace(/[^\p{L}\p{N}]+/gu, ' ')}`.includes(` ${word}`);
    if (at !== -1) points += at === 0 ? 4 : isStart ? 3 : 2;
    else if (rest.includes(word)) points += 1;
    else return null;
  }
  return points;
}
