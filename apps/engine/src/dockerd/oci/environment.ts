/** The variables that a container starts with. Upstream: moby daemon/container CreateDaemonEnvironment. */

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const nameOf = (variable: string): string => variable.split('=', 1)[0] ?? '';

/** Later lists win; a name without `=` takes the variable away. */
const merge = (...lists: (readonly string[])[]): string[] => {
  const variables = new Map<string, string | null>();
  for (const variable of lists.flat()) {
    variables.set(nameOf(variable), variable.includes('=') ? variable : null);
  }
  return [...variables.values()].filter((variable) => variable !== null);
};

export const containerEnvironment = (options: {
  readonly hostname: string;
  readonly isTerminal: boolean;
  readonly home: string;
  /** Config.Env, in which the image's variables are merged already. */
  readonly env: readonly string[];
}): string[] => {
  const defaults = [
    `PATH=${DEFAULT_PATH}`,
    `HOSTNAME=${options.hostname}`,
    ...(options.isTerminal ? ['TERM=xterm'] : []),
  ];
  const variables = merge(defaults, options.env);
  // Docker leaves HOME to runc, which looks into the image for it; ours is told, because its plan never looks there.
  return variables.some((variable) => nameOf(variable) === 'HOME')
    ? variables
    : [...variables, `HOME=${options.home}`];
};

/** The image's variables, unless the user set one of the same name. */
export const withImageEnvironment = (
  user: readonly string[],
  image: readonly string[],
): string[] => {
  const names = new Set(user.map(nameOf));
  return [...user, ...image.filter((variable) => !names.has(nameOf(variable)))];
};
