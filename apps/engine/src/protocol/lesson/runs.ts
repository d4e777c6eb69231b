/** What follows from a run that a lesson describes. */
import type { Run } from './front-matter.ts';

/** The command of a run, as one would type it, or its program's name; null when it is a signal. */
export const commandOf = (run: Run): string | null => {
  if ('program' in run) return run.program;
  return 'command' in run ? run.command : 'outside' in run ? run.outside : null;
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
