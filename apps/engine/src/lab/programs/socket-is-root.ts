/**
 * What somebody can do who is not root and may open Docker's socket, shown on a file in a folder of the lab's own that
 * only root can read; and what remains of it behind the filter of `socket-proxy/`.
 */
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LabProgram, Launch, Places } from './program.ts';

/** Reserved by Debian's policy and given to nobody, so that it owns nothing. */
export const STRANGER = { uid: 65_533, gid: 65_533 };
const FILE = 'only-root';

/** Root's alone, in a folder that is root's alone. */
const vaultOf = ({ labFolder }: Places): string => {
  const vault = join(labFolder, 'vault');
  mkdirSync(vault, { recursive: true, mode: 0o700 });
  writeFileSync(join(vault, FILE), 'Only root can read this file.\n', { mode: 0o600 });
  return vault;
};

const isReachable = (path: string): boolean => {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === '/') return true;
  }
};

/** Others cannot start what lies in a folder of root's; then they get a copy. */
const dockerOf = ({ dockerFile, execRoot }: Places): string => {
  if (isReachable(dockerFile)) return dockerFile;
  const copy = join(execRoot, 'stranger', 'docker');
  if (!existsSync(copy)) {
    mkdirSync(dirname(copy), { recursive: true, mode: 0o711 });
    copyFileSync(dockerFile, copy);
  }
  return copy;
};

const asStranger = (
  argv: readonly string[],
  { file, host = '', gid = STRANGER.gid }: { file: string; host?: string; gid?: number },
): Launch => ({
  file,
  argv,
  env: {
    PATH: '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: '/nonexistent',
    ...(host === '' ? {} : { DOCKER_HOST: `unix://${host}`, DOCKER_CLI_HINTS: 'false' }),
  },
  cwd: '/',
  identity: { uid: STRANGER.uid, gid },
  printsContainer: argv.includes('run'),
  isDocker: argv[0] === 'docker',
});

/** The host's folder in a container, where one is root. */
const readThroughDocker = (places: Places): readonly string[] => [
  ...['docker', 'run', '--rm', '--network', 'none', '--memory', '64m', '--pids-limit', '32'],
  ...['--label', places.label, '-v', `${vaultOf(places)}:/vault:ro`, 'busybox'],
  ...['sh', '-c', `id -u; cat /vault/${FILE}`],
];

const program = (launch: (places: Places) => Launch | Promise<Launch>): LabProgram => ({
  seesAllContainers: false,
  launch: async (places) => launch(places),
});

/** A client that finds the filter where others find the engine. */
const throughProxy = async (places: Places, argv: readonly string[]): Promise<Launch> =>
  asStranger(argv, { file: dockerOf(places), host: await places.proxySocket() });

export const SOCKET_IS_ROOT = {
  'socket-is-root/read-the-file': program((places) =>
    asStranger(['cat', join(vaultOf(places), FILE)], { file: '/bin/cat' }),
  ),
  'socket-is-root/ask-docker': program((places) =>
    asStranger(readThroughDocker(places), {
      file: dockerOf(places),
      host: places.dockerSocket,
      gid: statSync(places.dockerSocket).gid,
    }),
  ),
  'socket-is-root/list-through-the-proxy': {
    ...program((places) => throughProxy(places, ['docker', 'ps'])),
    seesAllContainers: true,
  },
  'socket-is-root/ask-docker-through-the-proxy': program((places) =>
    throughProxy(places, readThroughDocker(places)),
  ),
};
