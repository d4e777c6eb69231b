/** What is started for a run, and in which environment: the docker client, or a program of the lab's own. */
import type { RunRefused } from '../gateway/api-routes.ts';
import type { Learner } from '../gateway/guard.ts';
import { withOurNode } from '../our-node.ts';
import { LEARNER_LABEL } from '../policy/limits.ts';
import type { LabProgram, Launch, Places } from '../programs/program.ts';
import type { EngineClient } from './engine-client.ts';

export interface LauncherOptions extends Omit<Places, 'label'> {
  readonly engine: EngineClient;
  /** A folder of the lab's own for the client's HOME. */
  readonly clientHome: string;
}

export class Launcher {
  readonly #options: LauncherOptions;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  docker(argv: readonly string[], { printsContainer }: Pick<Launch, 'printsContainer'>): Launch {
    const { clientHome, dockerFile, dockerSocket, traceSocket } = this.#options;
    return {
      file: dockerFile,
      argv,
      cwd: clientHome,
      env: {
        // Our own client is one of the engine's programs.
        PATH: withOurNode('/usr/local/bin:/usr/bin:/bin'),
        HOME: clientHome,
        LANG: 'C.UTF-8',
        DOCKER_HOST: `unix://${dockerSocket}`,
        DOCKER_CONFIG: clientHome,
        DOCKER_CLI_HINTS: 'false',
        ENGINE_ROOM_TRACE_SOCKET: traceSocket,
      },
      printsContainer,
      isDocker: true,
    };
  }

  /** What the page may not see, a program that lists everything must not tell it. */
  async program(
    { seesAllContainers, launch }: LabProgram,
    learner: Learner,
  ): Promise<Launch | RunRefused> {
    const { engine } = this.#options;
    if (seesAllContainers) {
      const mine = await engine.list(LEARNER_LABEL, learner.id, { all: false });
      if ((await engine.count()) > mine.length) {
        return {
          status: 403,
          message:
            'this program lists all containers, and some here were not made from this page: run it in a terminal',
        };
      }
    }
    const launched = await launch({
      ...this.#options,
      label: `${LEARNER_LABEL}=${learner.id}`,
    });
    return 'lacks' in launched
      ? { status: 409, message: `this machine lacks ${launched.lacks}` }
      : launched;
  }
}
