/** Media queries that change what is shown, not only how: the style sheets use the same widths. */
export const PHONE = '(max-width: 759px)';
export const REDUCED_MOTION = '(prefers-reduced-motion: reduce)';
