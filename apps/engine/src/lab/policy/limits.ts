/** How much of the machine the page may use. The unix socket has no such limits: who may write there is root anyway. */
export const LIMITS = {
  memory: { standard: '256m', maxBytes: 512 * 1024 * 1024, max: '512m' },
  pids: { standard: '128', max: 256 },
  cpus: { standard: '1', max: 2 },
  stopSeconds: 60,
  /** Between two probes of a health check. */
  healthSeconds: 1,
  /** Containers in any state that a learner may have. */
  containers: 8,
  volumes: 8,
  /** Commands of a learner that may be going on at once. */
  runs: 4,
  /** Of all learners together: a new one is made by whoever throws their cookie away. */
  all: { containers: 64, volumes: 64, runs: 32, terminals: 24 },
  runMs: 60_000,
  /** How long a detached container may go on. */
  containerMs: 15 * 60_000,
  outputBytes: 8 * 1024 * 1024,
} as const;

export const LEARNER_LABEL = 'engine-room.learner';
