/** Listening on a unix socket path the way a daemon should. See unix(7). */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { EngineError } from '../protocol/errdefs.ts';

/** `sun_path` holds 108 bytes with its closing zero; Node would cut a longer path without a word. */
const PATH_LIMIT_BYTES = 107;

export const checkSocketPath = (path: string): void => {
  if (Buffer.byteLength(path) > PATH_LIMIT_BYTES)
    throw new EngineError(
      'invalid_argument',
      `unix socket path too long (> ${PATH_LIMIT_BYTES} bytes): ${path}`,
    );
};

/** True when somebody answers there; false for no file, or for one that a dead process left behind. */
export const isSocketAlive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });

/** Binds, replacing the socket of a dead process, never that of a living one. */
export const listenOnSocket = async (
  server: Pick<Server, 'listen' | 'once' | 'off'>,
  path: string,
  mode = 0o660,
): Promise<void> => {
  checkSocketPath(path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  if (await isSocketAlive(path))
    throw new EngineError('conflict', `listen unix ${path}: bind: address already in use`);
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The file exists from bind(2) on: nobody but root may connect before its mode is set.
    const umask = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
  chmodSync(path, mode);
};

/** getsockopt(SO_PEERCRED), as the native addon offers it. */
export type CredentialsOfPeer = (fd: number) => {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
};

/** Pid of the process at the other end, or null where nobody can say. */
export const pidOfPeer = (
  socket: Socket,
  credentialsOfPeer: CredentialsOfPeer | undefined,
): number | null => {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (!credentialsOfPeer || typeof handle !== 'object' || handle === null) return null;
  const fd: unknown = Reflect.get(handle, 'fd');
  if (typeof fd !== 'number' || fd < 0) return null;
  try {
    return credentialsOfPeer(fd).pid;
  } catch {
    return null;
  }
};
