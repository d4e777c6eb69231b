/**
 * A shim without a container, started ahead of time. Node needs a tenth of a second to start and to load this program:
 * that is over before the container is asked for. The conversation: protocol/task/claim.ts.
 */
import { existsSync, readFileSync, rmSync, watch } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import {
  SPARE_ORPHAN_MS,
  type ClaimAnswer,
  type ClaimRequest,
  type SpareHello,
} from '../protocol/task/claim.ts';
import { listenOnSocket } from '../transport/unix-socket.ts';
import { startTimeIn, type ShimIdentity } from './identity.ts';
import { Shim, type ShimParts } from './shim.ts';

const TTRPC_VERSION = 2;
const REQUEST_LIMIT_BYTES = 64 * 1024;

export const waitForClaim = async (parts: ShimParts, claimSocket: string): Promise<void> => {
  const leave = () => {
    rmSync(claimSocket, { force: true });
    process.exit(0);
  };
  // The folder is containerd's: it goes when containerd does, and nobody will come any more. Once the socket is there
  // its absence is the sign: the kernel tells that a folder has gone only when nothing in it is in use.
  const folder = dirname(claimSocket);
  let sign = folder;
  const leaveIfAlone = () => {
    if (!existsSync(sign)) leave();
  };
  leaveIfAlone();
  const watcher = watch(folder, leaveIfAlone).on('error', leave);
  leaveIfAlone();
  const orphaned = setTimeout(leave, SPARE_ORPHAN_MS);
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    // One containerd, one claim.
    server.close();
    clearTimeout(orphaned);
    watcher.close();
    void converse(parts, socket).then((isClaimed) => {
      if (!isClaimed) leave();
      rmSync(claimSocket, { force: true });
    });
  });
  process.once('SIGTERM', leave);
  await listenOnSocket(server, claimSocket, 0o600);
  sign = claimSocket;
  leaveIfAlone();
  process.off('SIGTERM', leave);
};

/** True when this process is a container's shim now. */
const converse = async (parts: ShimParts, socket: Socket): Promise<boolean> => {
  const say = (words: SpareHello | ClaimAnswer) => socket.write(`${JSON.stringify(words)}\n`);
  try {
    say({ pid: process.pid, startTime: startTimeIn(readFileSync('/proc/self/stat', 'utf8')) });
    const line = await readLine(socket);
    if (line === null) return false;
    const shim = await Shim.serve(parts, identityIn(JSON.parse(line)));
    say({ version: TTRPC_VERSION, address: shim.address, protocol: 'ttrpc' });
    socket.end();
    return true;
  } catch (error) {
    await new Promise<void>((resolve) => {
      socket.end(`${JSON.stringify({ error: messageOf(error) } satisfies ClaimAnswer)}\n`, () =>
        resolve(),
      );
    });
    return false;
  }
};

/** The first line, or null when the other side left without a word. */
const readLine = (socket: Socket): Promise<string | null> =>
  new Promise((resolve, reject) => {
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
      const end = received.indexOf('\n');
      if (end >= 0) resolve(received.slice(0, end));
      else if (received.length > REQUEST_LIMIT_BYTES)
        reject(new EngineError('invalid_argument', 'claim is too long'));
    });
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(null));
  });

const identityIn = (value: unknown): ShimIdentity => {
  const request = (typeof value === 'object' && value !== null ? value : {}) as Partial<
    Record<keyof ClaimRequest, unknown>
  >;
  const text = (name: 'namespace' | 'id' | 'bundle' | 'address' | 'ttrpcAddress'): string => {
    const field = request[name];
    if (typeof field !== 'string' || field === '')
      throw new EngineError('invalid_argument', `claim without ${name}`);
    return field;
  };
  return {
    namespace: text('namespace'),
    id: text('id'),
    bundle: text('bundle'),
    address: text('address'),
    ttrpcAddress: text('ttrpcAddress'),
  };
};
