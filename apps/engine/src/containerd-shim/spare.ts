/**
 * Shims without a container, ready ahead of time. Node needs a tenth of a second to start and to load this program, and
 * some thirty megabytes; that is paid once, by a template. A spare is a fork of it: there in some milliseconds, and what
 * neither of them has changed since lies in memory only once. The conversation: protocol/task/claim.ts.
 *
 * What is drawn by `node:crypto` differs from spare to spare, for OpenSSL sees that its process is another one and seeds
 * itself anew. `Math.random` does not: it goes on alike in each of them, and nothing here may draw from it.
 */
import { existsSync, readFileSync, readlinkSync, renameSync, rmSync, watch } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Native } from '../../../../native/native.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import {
  LINE_LIMIT_BYTES,
  SPARE_ORPHAN_MS,
  type ClaimAnswer,
  type ClaimRequest,
  type ForeseeRequest,
  type LearnRequest,
  type SpareHello,
} from '../protocol/task/claim.ts';
import { listenOnSocket } from '../transport/unix-socket.ts';
import { RUNTIME_BINARY, startTimeIn, type ShimIdentity } from './identity.ts';
import { Shim, type ShimParts } from './shim.ts';

const TTRPC_VERSION = 2;
/** What the template does for each takes some of its space for new objects, in which the copy goes on. */
const COPIES_ALIKE = 32;

export interface Template {
  readonly native: Native;
  readonly claimSocket: string;
  /** In the spare: what it must have of its own. */
  readonly prepare: () => ShimParts;
  /** In the template: what later spares are to know already. */
  readonly learn: (policy: unknown) => void;
  /** In the template, now and then: copies are as much alike again as the first ones. */
  readonly settle: () => void;
}

/** Precondition: no descriptor is open that a spare should not have, and V8 has no threads. */
export const offerSpares = async ({
  native,
  claimSocket,
  prepare,
  learn,
  settle,
}: Template): Promise<void> => {
  let line: Socket | undefined;
  let copies = 0;
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
    if (!line) {
      line = socket.on('error', leave).on('close', leave);
      clearTimeout(orphaned);
      sayHello(socket);
      takeLessons(socket, learn);
      return;
    }
    // At once, so that no other connection is open meanwhile: a spare that had it, too, would keep it open.
    if (!forkTwin(native)) {
      socket.destroy();
      copies += 1;
      if (copies % COPIES_ALIKE === 0) settle();
      return;
    }
    server.close();
    watcher.close();
    line.removeAllListeners().destroy();
    becomeSpare(native);
    void converse(prepare, socket).then((isClaimed) => {
      if (!isClaimed) process.exit(0);
      // Whoever lived a whole life knows which memory the next ones will need for it.
      process.once('exit', () => native.leaveFootprint());
    });
  });
  process.once('SIGTERM', leave);
  // Under another name first: whoever closes a listening socket removes its file, and each spare does.
  const unnamed = `${claimSocket}.new`;
  await listenOnSocket(server, unnamed, 0o600);
  renameSync(unnamed, claimSocket);
  sign = claimSocket;
  leaveIfAlone();
  process.off('SIGTERM', leave);
};

/** Each line is a lesson; when the line ends, so does the template. */
const takeLessons = (line: Socket, learn: Template['learn']): void => {
  let rest = '';
  line.setEncoding('utf8').on('data', (text: string) => {
    const lessons = (rest + text).split('\n');
    rest = lessons.pop() ?? '';
    if (rest.length > LINE_LIMIT_BYTES) line.destroy();
    for (const lesson of lessons) {
      try {
        learn((JSON.parse(lesson) as Partial<LearnRequest>).seccomp);
      } catch (error) {
        // Whoever has such a policy is told by the shim of its own container.
        process.stderr.write(`${RUNTIME_BINARY}: ${messageOf(error)}\n`);
      }
      line.write('{}\n');
    }
  });
};

/** A spare that could not be born is missed by containerd, which starts a shim in the long way then. */
const forkTwin = (native: Native): boolean => {
  try {
    return native.forkTwin();
  } catch (error) {
    process.stderr.write(`${RUNTIME_BINARY}: ${messageOf(error)}\n`);
    return false;
  }
};

/** What Node keeps of the process that it was started as, and how it ends one. */
const becomeSpare = (native: Native): void => {
  Object.defineProperty(process, 'pid', { value: Number(readlinkSync('/proc/self')) });
  Object.defineProperty(process, 'reallyExit', { value: (code = 0) => native.exitNow(code) });
  process.title = `${RUNTIME_BINARY} spare`;
  // What has not paid off in a whole rehearsal does not in one life.
  setFlagsFromString('--no-sparkplug');
  process.once('uncaughtException', endUnclaimed);
};

const endUnclaimed = (): void => process.exit(1);

const sayHello = (socket: Socket): boolean => {
  const hello: SpareHello = {
    pid: process.pid,
    startTime: startTimeIn(readFileSync('/proc/self/stat', 'utf8')),
  };
  return socket.write(`${JSON.stringify(hello)}\n`);
};

/** True when this process is a container's shim now. */
const converse = async (prepare: () => ShimParts, socket: Socket): Promise<boolean> => {
  const say = (words: ClaimAnswer) => socket.write(`${JSON.stringify(words)}\n`);
  try {
    const parts = prepare();
    sayHello(socket);
    const claim = await awaitClaim(socket, (text) => parts.specs.foresee(text));
    if (claim === null) return false;
    const shim = await Shim.serve(parts, identityIn(claim));
    process.off('uncaughtException', endUnclaimed);
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

/** What it is claimed with, or null when the other side left without a word. What may come before: the next container. */
const awaitClaim = (
  socket: Socket,
  foresee: (config: string) => void,
): Promise<Partial<ClaimRequest> | null> =>
  new Promise((resolve, reject) => {
    let rest = '';
    socket.setEncoding('utf8').on('data', (received: string) => {
      const lines = (rest + received).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LINE_LIMIT_BYTES)
        reject(new EngineError('invalid_argument', 'claim is too long'));
      try {
        for (const line of lines) {
          const request = JSON.parse(line) as Partial<ClaimRequest & ForeseeRequest>;
          if (typeof request.config !== 'string') return resolve(request);
          foresee(request.config);
        }
      } catch (error) {
        reject(error as Error);
      }
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
