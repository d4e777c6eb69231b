/**
 * What somebody can do who is not root and may open Docker's socket, shown on a file in a folder of the lab's own that
 * only root can read; and what remains of it behind the filter of `socket-proxy/`.
 */
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { engineRoot } from '../paths.ts';
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

/**
 * Others cannot start what lies in a folder of root's, so they get a copy. Null for our own client there: it is a
 * script, and a copy of it would find nothing of what it loads.
 */
const dockerOf = ({ dockerFile, execRoot }: Places): string | null => {
  if (isReachable(dockerFile)) return dockerFile;
  if (dockerFile.startsWith(`${engineRoot()}/`)) return null;
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

const program = (launch: LabProgram['launch']): LabProgram => ({
  seesAllContainers: false,
  launch,
});

/** A program that needs a docker client as well. */
const withDocker = (launch: (places: Places, file: string) => Launch | Promise<Launch>) =>
  program(async (places) => {
    const file = dockerOf(places);
    return file === null
      ? { lacks: 'a docker client that others than root may start (Debian: docker-cli)' }
      : launch(places, file);
  });

/** A client that finds the filter where others find the engine. */
const throughProxy = (argv: (places: Places) => readonly string[]): LabProgram =>
  withDocker(async (places, file) =>
    asStranger(argv(places), { file, host: await places.proxySocket() }),
  );

export const SOCKET_IS_ROOT = {
  'socket-is-root/read-the-file': program((places) =>
    Promise.resolve(asStranger(['cat', join(vaultOf(places), FILE)], { file: '/bin/cat' })),
  ),
  'socket-is-root/ask-docker': withDocker((places, file) =>
    asStranger(readThroughDocker(places), {
      file,
      host: places.dockerSocket,
      gid: statSync(places.dockerSocket).gid,
    }),
  ),
  'socket-is-root/list-through-the-proxy': {
    ...throughProxy(() => ['docker', 'ps']),
    seesAllContainers: true,
  },
  'socket-is-root/ask-docker-through-the-proxy': throughProxy(readThroughDocker),
};
