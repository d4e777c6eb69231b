/**
 * The `filters` query parameter: `{"label":{"a=b":true}}`, or in old clients `{"label":["a=b"]}`.
 * Upstream: moby api/types/filters.
 */
import * as z from 'zod';

const Filters = z.record(
  z.string(),
  z.union([
    z.array(z.string()),
    z.record(z.string(), z.boolean()).transform((values) => Object.keys(values)),
  ]),
);
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Null when the text is not a filter. */
export const parseFilters = (text: string | undefined): Filters | null => {
  if (!text) return {};
  try {
    return Filters.parse(JSON.parse(text));
  } catch {
    return null;
  }
};
