/**
 * `--console-socket`: where the terminal's master is sent to. unix(7). Upstream: runc tty.go.
 */
import { connect, type Socket } from 'node:net';
import { EngineError } from '../protocol/errdefs.ts';

/** The descriptor of the connected socket; it stays open for as long as this process lives. */
export const connectToConsole = async (path: string): Promise<number> =>
  descriptorOf(await connectTo(path));

const connectTo = (path: string): Promise<Socket> =>
  new Promise((done, fail) => {
    const socket = connect(path);
    socket.once('connect', () => done(socket));
    socket.once('error', (error) =>
      fail(
        new EngineError('invalid_argument', `cannot connect to the console socket ${path}`, {
          cause: error,
        }),
      ),
    );
  });

/** Node does not show the descriptor of a socket; its handle has it. */
const descriptorOf = (socket: Socket): number => {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd !== 'number')
    throw new EngineError('internal', 'the console socket has no descriptor');
  return fd;
};
