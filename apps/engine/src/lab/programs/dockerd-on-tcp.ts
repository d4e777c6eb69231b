/**
 * dockerd on a TCP port: `content/programs/dockerd-on-tcp/ask.sh`, with daemons and folders of its own. The engine's own
 * dockerd never gets a port from here, and the one that does is in a network namespace where nobody else can reach it.
 */
import { dirname, join } from 'node:path';
import { withOurNode } from '../our-node.ts';
import { binary, engineRoot } from '../paths.ts';
import { DAEMON_PATH } from '../swapped-parts.ts';
import type { LabProgram } from './program.ts';
import { STRANGER } from './socket-is-root.ts';
import { missingOf } from './tools.ts';

export const DOCKERD_ON_TCP = {
  'dockerd-on-tcp/ask.sh': {
    seesAllContainers: false,
    launch: ({ labFolder, traceSocket }) => {
      const missing = missingOf(['unshare', 'setpriv', 'ip', 'curl']);
      const script = join(engineRoot(), '../../content/programs/dockerd-on-tcp');
      return Promise.resolve(
        missing.length > 0
          ? { lacks: missing.join(' and ') }
          : {
              file: '/usr/bin/unshare',
              argv: [
                ...['unshare', '--net', 'sh', 'ask.sh', join(labFolder, 'on-tcp')],
                ...[dirname(binary('dockerd')), String(STRANGER.uid)],
              ],
              env: {
                PATH: withOurNode(DAEMON_PATH),
                LANG: 'C.UTF-8',
                HOME: '/',
                ENGINE_ROOM_TRACE_SOCKET: traceSocket,
              },
              cwd: script,
              printsContainer: false,
              isDocker: false,
            },
      );
    },
  } satisfies LabProgram,
};
