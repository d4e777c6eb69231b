/** How a predicate compares: in the lab with what is, and in the page with what was recorded. */
import { COMPARISONS, type Comparison } from './names.ts';
import type { Predicate, Term, Value } from './predicate.ts';

export const comparisonOf = (
  predicate: Predicate,
): { readonly how: Comparison; readonly term: Term } => {
  for (const how of COMPARISONS) {
    const term = predicate[how];
    if (term !== undefined) return { how, term };
  }
  throw new Error('a predicate without a comparison');
};

/** What is not there (null) is unlike everything, and like nothing. */

export const compare = (observed: Value, how: Comparison, wanted: Value): boolean => {
  if (observed === null || wanted === null) return false;
  switch (how) {
    case 'equals':
      return JSON.stringify(observed) === JSON.stringify(wanted);
    case 'not':
      return JSON.stringify(observed) !== JSON.stringify(wanted);
    case 'atLeast':
      return typeof observed === 'number' && typeof wanted === 'number' && observed >= wanted;
    case 'atMost':
      return typeof observed === 'number' && typeof wanted === 'number' && observed <= wanted;
    case 'includes':
      return (
        (typeof observed === 'string' || Array.isArray(observed)) &&
        typeof wanted === 'string' &&
        observed.includes(wanted)
      );
  }
};
