/**
 * `start`: what containerd calls for each container. Leaves a daemon behind that listens, says where, and exits.
 * Upstream: containerd cmd/containerd-shim-runc-v2/manager/manager_linux.go (Start).
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { SHIM_MALLOC } from '../protocol/task/claim.ts';
import {
  addressOf,
  checkIdentity,
  RUNTIME_BINARY,
  socketPathOf,
  type ShimIdentity,
} from './identity.ts';

/** The daemon's end of the line on which it says that it listens. */
export const READY_FD = 3;
const READY_WORD = 'ready\n';
/** Variables that cost Node time at its start, or that mean `start` alone. */
const DROPPED_VARIABLES = new Set(['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'GOMAXPROCS']);

export const sayReady = (): Promise<void> => say(READY_WORD);
export const sayFailure = (message: string): Promise<void> => say(`error: ${message}\n`);

const say = (words: string): Promise<void> =>
  new Promise((resolve) => {
    const line = new Socket({ fd: READY_FD, readable: false, writable: true });
    line.on('error', () => resolve());
    line.end(words, () => resolve());
  });

/** Returns its address. Postcondition: somebody listens on the socket of this container, in a session of its own, child of nobody. */
export const startDaemon = async (
  native: Native,
  identity: ShimIdentity,
  program: string,
): Promise<string> => {
  checkIdentity(identity);
  const { namespace, id, address, bundle } = identity;
  const [ours, theirs] = native.socketpair();
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !DROPPED_VARIABLES.has(entry[0]),
    ),
  );
  native.spawnDetached({
    file: process.execPath,
    argv: [
      RUNTIME_BINARY,
      program,
      '-namespace',
      namespace,
      '-id',
      id,
      '-address',
      address,
      ...(identity.socketPath ? ['-socket', identity.socketPath] : []),
      'serve',
    ],
    env: { ...env, ...SHIM_MALLOC, TTRPC_ADDRESS: identity.ttrpcAddress },
    cwd: bundle,
    extraFds: [theirs],
  });
  closeSync(theirs);
  await untilReady(ours);
  return addressOf(socketPathOf(identity));
};

const untilReady = (fd: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const line = new Socket({ fd, readable: true, writable: false });
    let heard = '';
    line.setEncoding('utf8');
    line.on('data', (text: string) => (heard += text));
    line.on('error', () => undefined);
    line.on('close', () => {
      if (heard === READY_WORD) resolve();
      else
        reject(
          new EngineError(
            'unknown',
            heard.replace(/^error: /, '').trim() || 'the shim died at its start',
          ),
        );
    });
  });
