/** How the parts of a lesson are named. */
export const ID = /^[a-z][a-z0-9-]{0,39}$/;

export const COMPARISONS = ['equals', 'not', 'atLeast', 'atMost', 'includes'] as const;
export type Comparison = (typeof COMPARISONS)[number];
