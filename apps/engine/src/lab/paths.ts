/** Where things lie: below the exec root what a reboot may take away, below the data root what it may not. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Paths {
  readonly execRoot: string;
  readonly dataRoot: string;
  readonly dockerSocket: string;
  readonly containerdSocket: string;
  readonly traceSocket: string;
  /** The filter before the engine's socket. */
  readonly proxySocket: string;
  readonly traces: string;
  /** The lab's own: token, logs of the daemons, what it knows of their processes. */
  readonly lab: string;
  readonly clients: string;
  /** daemon.json of dockerd. */
  readonly daemonConfig: string;
  readonly gates: string;
}

export const pathsOf = (options: {
  readonly execRoot: string;
  readonly dataRoot: string;
  readonly dockerSocket: string | null;
}): Paths => {
  const { execRoot, dataRoot } = options;
  return {
    execRoot,
    dataRoot,
    dockerSocket: options.dockerSocket ?? join(execRoot, 'docker.sock'),
    containerdSocket: join(execRoot, 'containerd.sock'),
    traceSocket: join(execRoot, 'trace.sock'),
    proxySocket: join(execRoot, 'docker-proxy.sock'),
    traces: join(dataRoot, 'traces'),
    lab: join(execRoot, 'lab'),
    clients: join(execRoot, 'lab', 'clients'),
    daemonConfig: join(execRoot, 'lab', 'daemon.json'),
    gates: join(execRoot, 'lab', 'gates'),
  };
};

/** apps/engine, wherever this code runs from: src/lab (tests) or dist (the bundle). */
export const engineRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
};

export const binary = (name: string): string => join(engineRoot(), 'bin', name);
export const webRoot = (): string => join(engineRoot(), '..', 'web', 'dist');
