/** The field mask of an update: `labels` replaces all labels, `labels.x` one of them. Upstream: core/metadata. */

export type Labels = Readonly<Record<string, string>>;

/** The part of the path below `labels.`; undefined when it is another field. */
const labelOf = (path: string): string | undefined =>
  path.startsWith('labels.') ? path.slice('labels.'.length) : undefined;

/** What the mask says besides labels. */
export const otherPaths = (paths: readonly string[]): string[] =>
  paths.filter((path) => path !== 'labels' && labelOf(path) === undefined);

/** An empty value removes a label, as in containerd. */
export const updateLabels = (
  current: Labels,
  next: Labels,
  paths: readonly string[],
): Record<string, string> => {
  if (paths.includes('labels')) return { ...next };
  const labels: Record<string, string> = { ...current };
  for (const path of paths) {
    const label = labelOf(path);
    if (label === undefined) continue;
    const value = Object.hasOwn(next, label) ? next[label] : undefined;
    if (value) labels[label] = value;
    else delete labels[label];
  }
  return labels;
};
