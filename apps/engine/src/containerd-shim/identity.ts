/** Whose shim this is, and the names that follow from it. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkIdentifier } from './options.ts';

export const RUNTIME_BINARY = 'containerd-shim-engineroom-v2';
export const RUNTIME_NAME = 'io.containerd.engineroom.v2';
export const VERSION = 'engine-room';

export interface ShimIdentity {
  readonly namespace: string;
  readonly id: string;
  readonly bundle: string;
  /** containerd's gRPC socket. */
  readonly address: string;
  /** containerd's ttrpc socket, which takes events. */
  readonly ttrpcAddress: string;
  /** Where to listen, when containerd has said in which directory. */
  readonly socketPath?: string;
}

export const checkIdentity = ({ namespace, id }: Pick<ShimIdentity, 'namespace' | 'id'>): void => {
  checkIdentifier('namespace', namespace);
  checkIdentifier('identifier', id);
};

/**
 * The place of the ttrpc socket: `s/` beside containerd's own socket. A hash keeps it short, for the path of a
 * socket may have 107 bytes and a container's id alone has 64. Upstream: pkg/shim/util_unix.go (SocketAddress).
 */
export const socketPathOf = ({
  namespace,
  id,
  address,
  socketPath,
}: Pick<ShimIdentity, 'namespace' | 'id' | 'address' | 'socketPath'>): string =>
  socketPath ?? socketPathIn(join(dirname(address), 's'), { namespace, id, address });

export const socketPathIn = (
  directory: string,
  { namespace, id, address }: Pick<ShimIdentity, 'namespace' | 'id' | 'address'>,
): string =>
  join(
    directory,
    createHash('sha256')
      .update(join(address, namespace, id))
      .digest('hex'),
  );

export const addressOf = (socketPath: string): string => `unix://${socketPath}`;

/** Where runc keeps this container's state: `<root>/<namespace>`, as all of containerd's runc shims do. */
export const runcRootOf = (
  { namespace, address }: Pick<ShimIdentity, 'namespace' | 'address'>,
  root: string,
): string => join(root || join(dirname(address), 'runc'), namespace);

const OPTIONS_FILE = 'options.json';

/** Which runtime makes the container, and where that keeps its state; both empty for our own in the usual place. */
export interface RuntimeChoice {
  readonly root: string;
  readonly binary: string;
}

/** For the `delete` action of another process, which is not told the options. */
export const saveRuntimeChoice = (bundle: string, choice: RuntimeChoice): void =>
  writeFileSync(join(bundle, OPTIONS_FILE), JSON.stringify(choice), { mode: 0o600 });

/** Both empty when the shim came to no container. */
export const readRuntimeChoice = (bundle: string): RuntimeChoice => {
  try {
    const content = JSON.parse(readFileSync(join(bundle, OPTIONS_FILE), 'utf8')) as Partial<
      Record<keyof RuntimeChoice, unknown>
    >;
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    return { root: text(content.root), binary: text(content.binary) };
  } catch {
    return { root: '', binary: '' };
  }
};

/** What `ps` shows. Long values last: a process cannot make its title longer than its first command line was. */
export const titleOf = ({ namespace, id, address }: ShimIdentity): string =>
  `${RUNTIME_BINARY} -namespace ${namespace} -id ${id} -address ${address}`;

/** Field 22 of /proc/<pid>/stat, after the name in brackets, which may hold anything. */
export const startTimeIn = (stat: string): string =>
  stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
