/** Every duration and easing of the page. Motion means that something travels, is born, changes parents or dies. */
const BIRTH_MS = 250;
const REPARENT_MS = 600;

/** Seconds, as framer-motion counts. */
export const birth = { duration: BIRTH_MS / 1000, ease: 'easeOut' } as const;
export const reparent = { duration: REPARENT_MS / 1000, ease: 'easeInOut' } as const;
export const still = { duration: 0 } as const;

/** framer-motion's features come after the first paint. */
export const loadMotion = () => import('./motion-features.ts').then(({ features }) => features);
