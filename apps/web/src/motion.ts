/** The big movement of the page: a process gets another parent. Motion means that something travels, is born, moves or dies. */
const REPARENT_MS = 600;

/** Seconds, as framer-motion counts. */
export const reparent = { duration: REPARENT_MS / 1000, ease: 'easeInOut' } as const;
export const still = { duration: 0 } as const;
