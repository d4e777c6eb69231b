/** Who runs together: each row is a stack of daemons, shim and runtime, some of them ours and some Debian's. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Containerd, startContainerd } from '../ctr/support/containerds.ts';
import { startRealEngine } from '../docker-cli/support/real-engine.ts';
import type { Engine } from '../support/engine.ts';
import { type OurEngine, startOurEngine } from '../support/our-engine.ts';

const BIN = fileURLToPath(new URL('../../apps/engine/bin', import.meta.url));
const OUR_RUNC = join(BIN, 'runc');
const REAL_SHIM = 'io.containerd.runc.v2';
const OUR_SHIM = 'io.containerd.engineroom.v2';

export interface Stack {
  readonly dockerd: string;
  readonly containerd: string;
  readonly shim: string;
  readonly runtime: string;
}

export const titleOf = ({ dockerd, containerd, shim, runtime }: Stack): string =>
  `dockerd ${dockerd}, containerd ${containerd}, shim ${shim}, runtime ${runtime}`;

/** Driven by the docker CLI. */
export interface DockerParty extends Stack {
  start(): Promise<Engine>;
}

/** Driven by ctr. */
export interface CtrParty extends Stack {
  start(): Promise<Containerd>;
  /** Flags of `ctr run`. */
  readonly flags: readonly string[];
}

/** crun refuses a machine where both versions of cgroups are mounted: so it is shown one of them. */
const crunAlone = (): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'crun-')), 'crun');
  const inside = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec crun "$@"';
  writeFileSync(path, `#!/bin/sh\nexec unshare --mount sh -c '${inside}' crun "$@"\n`, {
    mode: 0o755,
  });
  return path;
};

const OURS = { dockerd: 'ours', containerd: 'ours', shim: 'ours', runtime: 'ours' } as const;
const REAL = { dockerd: 'real', containerd: 'real', shim: 'real', runtime: 'runc' } as const;

/** Engines of ours, whole or with somebody else's parts, as `npm start` offers them. */
export const OUR_ENGINES: readonly (Stack & { start(): Promise<OurEngine> })[] = [
  { ...OURS, start: () => startOurEngine() },
  { ...OURS, runtime: 'runc', start: () => startOurEngine(['--runtime', 'runc']) },
  { ...OURS, runtime: 'crun', start: () => startOurEngine(['--runtime', crunAlone()]) },
  { ...OURS, shim: 'real', runtime: 'runc', start: () => startOurEngine(['--shim', REAL_SHIM]) },
  {
    ...OURS,
    shim: 'real',
    start: () => startOurEngine(['--shim', REAL_SHIM, '--runtime', OUR_RUNC]),
  },
];

export const DOCKER_PARTIES: readonly DockerParty[] = [
  { ...REAL, start: () => startRealEngine() },
  { ...REAL, runtime: 'ours', start: () => startRealEngine('runc') },
  { ...REAL, containerd: 'ours', start: () => startRealEngine('containerd') },
  { ...REAL, dockerd: 'ours', start: () => startRealEngine('dockerd') },
  ...OUR_ENGINES,
];

/** A containerd finds a shim by its name in PATH. */
const startIn = (kind: 'real' | 'ours') => async (): Promise<Containerd> => {
  const path = process.env['PATH'] ?? '';
  process.env['PATH'] = [path, BIN].join(delimiter);
  try {
    return await startContainerd(kind);
  } finally {
    process.env['PATH'] = path;
  }
};

const CTR = { dockerd: '–' } as const;

export const CTR_PARTIES: readonly CtrParty[] = [
  { ...REAL, ...CTR, start: startIn('real'), flags: ['--runtime', REAL_SHIM] },
  { ...OURS, ...CTR, start: startIn('ours'), flags: ['--runtime', OUR_SHIM] },
  {
    ...REAL,
    ...CTR,
    shim: 'ours',
    runtime: 'ours',
    start: startIn('real'),
    flags: ['--runtime', OUR_SHIM],
  },
  {
    ...REAL,
    ...CTR,
    runtime: 'ours',
    start: startIn('real'),
    flags: ['--runtime', REAL_SHIM, '--runc-binary', OUR_RUNC],
  },
  {
    ...OURS,
    ...CTR,
    shim: 'real',
    runtime: 'runc',
    start: startIn('ours'),
    flags: ['--runtime', REAL_SHIM],
  },
];
