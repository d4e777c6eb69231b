/** What follows from a run that a lesson describes. */
import type { Run } from './front-matter.ts';

/** The command of a run, as one would type it, or its program's name; null when it is a signal. */
export const commandOf = (run: Run): string | null => {
  if ('program' in run) return run.program;
  return 'command' in run ? run.command : 'outside' in run ? run.outside : null;
};

/** The names of all that a run leaves: itself, and before it the earlier ones of several. */
export const takesOf = (name: string, run: Run): readonly string[] => {
  const times = 'command' in run ? (run.times ?? 1) : 1;
  return [...Array.from({ length: times - 1 }, (_, index) => `${name}-${index + 1}`), name];
};

/** Of what was run those that are takes of this run. */
export const takesIn = (
  runs: Readonly<Record<string, string>>,
  name: string,
): readonly string[] => {
  const earlier = Object.entries(runs).filter(
    ([key]) => key.startsWith(`${name}-`) && /^[1-9]$/.test(key.slice(name.length + 1)),
  );
  const last = runs[name];
  return last === undefined ? [] : [...earlier.map(([, traceId]) => traceId), last];
};

/** Whether a trace with this title is of such a command; one may have typed options before its first word. */
export const isOf = (outside: string, title: string): boolean => {
  const [program = '', ...words] = outside.split(' ');
  return title.startsWith(`${program} `) && ` ${title}`.endsWith(` ${words.join(' ')}`);
};

/** The commands that remove what runs leave behind, one after the other. */
export const tidyingUp = (runs: Readonly<Record<string, Run>>): readonly string[] => {
  const all = Object.values(runs).filter((run) => 'command' in run);
  const containers = [...new Set(all.flatMap(({ tidy }) => tidy))];
  const volumes = [...new Set(all.flatMap(({ tidyVolumes }) => tidyVolumes))];
  return [
    ...(containers.length > 0 ? [`docker rm -f ${containers.join(' ')}`] : []),
    ...(volumes.length > 0 ? [`docker volume rm ${volumes.join(' ')}`] : []),
  ];
};
