/**
 * The same list of containers, asked for in four languages: `content/programs/list-containers`.
 * Go and TypeScript are built by `scripts/build-programs.mjs`; a machine without a tool has the recording.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { engineRoot } from '../paths.ts';
import type { LabProgram, Launch, Places } from './program.ts';
import { isThere, missingOf, PATH, tool } from './tools.ts';

const ask = promisify(execFile);
const SOURCES = (): string => join(engineRoot(), '../../content/programs/list-containers');
const BUILT = (): string => join(engineRoot(), 'dist/programs');

/** From its own folder, so that nothing it shows depends on where that is. */
const launch = (
  { dockerSocket }: Places,
  { file, argv, cwd }: Pick<Launch, 'file' | 'argv' | 'cwd'>,
): Launch => ({
  file,
  argv,
  env: { PATH, LANG: 'C.UTF-8', HOME: '/', DOCKER_HOST: `unix://${dockerSocket}` },
  cwd,
  printsContainer: false,
  isDocker: false,
});

const lacks = (what: string) => ({ lacks: what });

const PYTHON_SDK = 'Docker’s SDK for Python (Debian: python3-docker)';

const hasPythonSdk = async (python: string): Promise<boolean> => {
  try {
    await ask(python, ['-c', 'import docker'], { env: { PATH }, cwd: '/', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
};

const program = (start: LabProgram['launch']): LabProgram => ({
  seesAllContainers: true,
  launch: start,
});

export const LIST_CONTAINERS = {
  'list-containers/main.go': program((places) => {
    return Promise.resolve(
      isThere(join(BUILT(), 'list-containers'), constants.X_OK)
        ? launch(places, { file: './list-containers', argv: ['list-containers'], cwd: BUILT() })
        : lacks('Go and Docker’s SDK for it (Debian: golang-go, golang-github-docker-docker-dev)'),
    );
  }),
  'list-containers/list.ts': program((places) => {
    return Promise.resolve(
      isThere(join(BUILT(), 'list-containers.mjs'))
        ? launch(places, {
            file: process.execPath,
            argv: ['node', 'list-containers.mjs'],
            cwd: BUILT(),
          })
        : lacks('the built program: run scripts/build-programs.mjs'),
    );
  }),
  'list-containers/list.py': program(async (places) => {
    const python = tool('python3');
    if (python === null || !(await hasPythonSdk(python))) return lacks(PYTHON_SDK);
    return launch(places, { file: python, argv: ['python3', 'list.py'], cwd: SOURCES() });
  }),
  'list-containers/list.sh': program((places) => {
    const missing = missingOf(['curl', 'jq']);
    return Promise.resolve(
      missing.length > 0
        ? lacks(missing.join(' and '))
        : launch(places, { file: '/bin/sh', argv: ['sh', 'list.sh'], cwd: SOURCES() }),
    );
  }),
};
