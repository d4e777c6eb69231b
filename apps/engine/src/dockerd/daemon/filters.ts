/** `--filter` of lists and prunes: different filters must all hold. Upstream: moby api/types/filters. */
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import { EngineError } from '../../protocol/errdefs.ts';

/** `name`, or `name=value`. */
export const hasLabel = (labels: Readonly<Record<string, string>>, label: string): boolean => {
  const equals = label.indexOf('=');
  return equals < 0
    ? Object.hasOwn(labels, label)
    : labels[label.slice(0, equals)] === label.slice(equals + 1);
};

/** A filter that is a switch. */
export const isYes = (key: string, values: readonly string[]): boolean => {
  const [value = ''] = values;
  if (['1', 'true'].includes(value)) return true;
  if (['0', 'false'].includes(value)) return false;
  throw new EngineError('invalid_argument', `invalid filter '${key}=[${values.join(' ')}]'`);
};

/** By the filter's name; a filter that is not there is refused. */
export type FilterTests<Item> = Readonly<
  Record<string, (item: Item, values: readonly string[]) => boolean>
>;

export const select = <Item>(
  items: readonly Item[],
  tests: FilterTests<Item>,
  filters: Filters,
): Item[] => {
  for (const key of Object.keys(filters)) {
    if (!Object.hasOwn(tests, key)) {
      throw new EngineError('invalid_argument', `invalid filter '${key}'`);
    }
  }
  return items.filter((item) =>
    Object.entries(filters).every(([key, values]) => tests[key]?.(item, values)),
  );
};
