/**
 * Which flags of which command the page may use. What is not in the table is refused; what people will miss most is
 * refused with the reason. Reference: docs.docker.com/reference/cli/docker/container/run/
 */
import { LEARNER_LABEL, LIMITS } from './limits.ts';

export interface Flag {
  /** The long name, under which both spellings are known. */
  readonly name: string;
  readonly takesValue: boolean;
  /** Why this value is refused; null when it may pass (or when the client itself will refuse it). */
  readonly check?: (value: string) => string | null;
}

type FlagTable = Readonly<Record<string, Flag>>;

/** `switches('-d --detach', '--rm')` and `values(…)`: spellings of one flag together, the last one names it. */
const flags =
  (takesValue: boolean) =>
  (...spellings: readonly string[]): FlagTable =>
    Object.fromEntries(
      spellings.flatMap((spelling) => {
        const words = spelling.split(' ');
        const name = (words.at(-1) ?? '').replace(/^-+/, '');
        return words.map((word) => [word, { name, takesValue }]);
      }),
    );
const switches = flags(false);
const values = flags(true);
const checked = (spelling: string, check: (value: string) => string | null): FlagTable =>
  Object.fromEntries(
    Object.entries(values(spelling)).map(([word, flag]) => [word, { ...flag, check }]),
  );

const hasDigit = (value: string): boolean => /\d/.test(value);
const SIZE = /^(\d{1,15}(?:\.\d{1,6})?) ?([bkmgt]?)(?:i?b)?$/i;
const UNITS = 'bkmgt';

/** A value without a digit is no number for Docker either, and Docker's own words for that are the better lesson. */
const checkMemory = (value: string): string | null => {
  if (!hasDigit(value)) return null;
  const match = SIZE.exec(value);
  const exponent = UNITS.indexOf((match?.[2] ?? '').toLowerCase() || 'b');
  const bytes = match ? Number(match[1]) * 1024 ** exponent : NaN;
  if (bytes > 0 && bytes <= LIMITS.memory.maxBytes) return null;
  return `from the page a container may have at most ${LIMITS.memory.max} of memory, and not none`;
};

const atMost =
  (max: number, pattern: RegExp, what: string) =>
  (value: string): string | null => {
    if (!hasDigit(value)) return null;
    const number = pattern.test(value) ? Number(value) : NaN;
    return number > 0 && number <= max
      ? null
      : `from the page ${what}, and not 0, which means no limit`;
  };

const CONTAINER_NETWORK = /^container:([a-zA-Z0-9][a-zA-Z0-9_.-]*)$/;

/** The container whose network is to be shared; the lab lets it be the learner's own only. */
export const networkOwner = (value: string | undefined): string | undefined =>
  CONTAINER_NETWORK.exec(value ?? '')?.[1];

const checkNetwork = (value: string): string | null =>
  ['none', 'default', 'bridge'].includes(value) || networkOwner(value) !== undefined
    ? null
    : 'from the page a container may use the network "none", the default one or that of another container of yours, not the network of the machine';

const OWN_VOLUME = /^([a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}):\/[^:]*(?::(?:ro|rw))?$/;

/** The volume that is mounted. A source with a slash would be a folder of the machine. */
export const volumeOf = (value: string | undefined): string | undefined =>
  OWN_VOLUME.exec(value ?? '')?.[1];

const checkVolume = (value: string): string | null =>
  volumeOf(value) === undefined
    ? 'from the page a container may mount a volume of yours, -v NAME:/PATH, and no folder: with a mount of a folder it can read and change this machine'
    : null;

/** On loopback nobody but this machine can reach it, and below 1024 it might pass for a service of the machine's. */
const checkPort = (value: string): string | null => {
  const [, port = ''] = /^127\.0\.0\.1:(\d{4,5}):\d{1,5}(?:\/tcp)?$/.exec(value) ?? [];
  return Number(port) >= 1024 && Number(port) <= 65535
    ? null
    : 'from the page ports are opened on loopback only, from 1024 on: -p 127.0.0.1:8080:80';
};

const checkLabel = (value: string): string | null =>
  value.startsWith(LEARNER_LABEL.split('.')[0] ?? '')
    ? 'labels of the lab say whose a container is, so the page may not set them'
    : null;

const checkSeconds = (value: string): string | null =>
  !hasDigit(value) || (/^\d{1,9}$/.test(value) && Number(value) <= LIMITS.stopSeconds)
    ? null
    : `from the page one may wait at most ${LIMITS.stopSeconds} seconds`;

const DURATION_SECONDS = /^(\d{1,6}(?:\.\d{1,6})?)(ms|s|m|h)$/;
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Each probe is a process and a trace. */
const checkInterval = (value: string): string | null => {
  if (!hasDigit(value)) return null;
  const match = DURATION_SECONDS.exec(value);
  const seconds = match ? Number(match[1]) * (SECONDS[match[2] ?? ''] ?? 0) : 0;
  return seconds >= LIMITS.healthSeconds
    ? null
    : `from the page a health check may run every ${LIMITS.healthSeconds} seconds at most`;
};

const checkRestart = (value: string): string | null =>
  value === 'no' || /^on-failure:[1-5]$/.test(value)
    ? null
    : 'from the page a container may be started again after a failure, five times at most: --restart on-failure:5';

/** Limits, which may also be changed later. */
const LIMIT_FLAGS: FlagTable = {
  ...checked('-m --memory', checkMemory),
  ...checked(
    '--cpus',
    atMost(
      LIMITS.cpus.max,
      /^\d{1,6}(\.\d{1,9})?$/,
      `a container may use at most ${LIMITS.cpus.max} CPUs`,
    ),
  ),
  ...checked(
    '--pids-limit',
    atMost(
      LIMITS.pids.max,
      /^[1-9]\d{0,8}$/,
      `a container may have at most ${LIMITS.pids.max} processes`,
    ),
  ),
};

const CREATE: FlagTable = {
  ...LIMIT_FLAGS,
  ...switches('--no-healthcheck'),
  ...values('--health-cmd', '--health-retries', '--health-timeout', '--health-start-period'),
  ...checked('--health-interval', checkInterval),
  ...checked('--health-start-interval', checkInterval),
  ...checked('--restart', checkRestart),
  ...switches(
    '--rm',
    '-i --interactive',
    '-t --tty',
    '--read-only',
    '--init',
    '-q --quiet',
    '--help',
  ),
  ...values(
    '--name',
    '-e --env',
    '-w --workdir',
    '-u --user',
    '-h --hostname',
    '--entrypoint',
    '--cap-drop',
  ),
  ...values('--stop-signal', '-a --attach', '--pull'),
  ...checked('--stop-timeout', checkSeconds),
  ...checked('--net --network', checkNetwork),
  ...checked('-p --publish', checkPort),
  ...checked('-v --volume', checkVolume),
  ...checked('-l --label', checkLabel),
};

/** Whether a switch is set, in pflag's words. */
export const isOn = (value: string | undefined): boolean =>
  value !== undefined && !['false', 'f', 'F', '0', 'FALSE', 'False'].includes(value);

/** What a container reference in the command's arguments is for. */
export interface Command {
  readonly flags: FlagTable;
  /** Flags end at the first argument: what follows belongs to the program in the container. */
  readonly flagsEndAtArgument: boolean;
  /** How many of its arguments name containers, which must be the learner's own. */
  readonly namesContainers: 'none' | 'first' | 'all';
  readonly createsContainer: boolean;
  readonly createsVolume: boolean;
  /** Its arguments name volumes, which must be the learner's own. */
  readonly namesVolumes: boolean;
  /** Why the command as a whole is refused; null when it may pass. */
  readonly check: (set: ReadonlyMap<string, string>, args: readonly string[]) => string | null;
  /** It tells of containers or volumes without being given their names: of the learner's own, that is. */
  readonly lists: boolean;
}

const command = (table: FlagTable, more: Partial<Command> = {}): Command => ({
  flags: { ...table, ...switches('--help') },
  flagsEndAtArgument: false,
  namesContainers: 'none',
  createsContainer: false,
  createsVolume: false,
  namesVolumes: false,
  lists: false,
  check: () => null,
  ...more,
});
const creates = { flagsEndAtArgument: true, createsContainer: true };
const names = { namesContainers: 'all' as const };
const namesFirst = { namesContainers: 'first' as const };
const list = {
  ...switches('-a --all', '-q --quiet', '--no-trunc'),
  ...values('-f --filter', '--format'),
};
const checkType = (value: string): string | null =>
  ['container', 'image'].includes(value)
    ? null
    : 'from the page one may inspect containers and images';

export const COMMANDS: Readonly<Record<string, Command>> = {
  run: command({ ...CREATE, ...switches('-d --detach') }, creates),
  create: command(CREATE, creates),
  start: command(switches('-a --attach', '-i --interactive'), names),
  ps: command(
    { ...list, ...switches('-l --latest', '-s --size'), ...values('-n --last') },
    { lists: true },
  ),
  logs: command(
    {
      ...switches('-f --follow', '-t --timestamps', '--details'),
      ...values('-n --tail', '--since', '--until'),
    },
    names,
  ),
  inspect: command(
    { ...switches('-s --size'), ...values('-f --format'), ...checked('--type', checkType) },
    names,
  ),
  wait: command({}, names),
  stop: command(
    {
      ...values('-s --signal'),
      ...checked('-t --time', checkSeconds),
      ...checked('--timeout', checkSeconds),
    },
    names,
  ),
  kill: command(values('-s --signal'), names),
  restart: command(
    {
      ...values('-s --signal'),
      ...checked('-t --time', checkSeconds),
      ...checked('--timeout', checkSeconds),
    },
    names,
  ),
  pause: command({}, names),
  unpause: command({}, names),
  exec: command(
    {
      ...switches('-d --detach', '-i --interactive', '-t --tty'),
      ...values('-e --env', '-u --user', '-w --workdir'),
    },
    { ...namesFirst, flagsEndAtArgument: true },
  ),
  top: command(
    {},
    {
      ...namesFirst,
      // Options of ps(1) can give the rows another meaning.
      check: (_, args) =>
        args.length > 1
          ? 'from the page "docker top" takes a container and no options of ps'
          : null,
    },
  ),
  stats: command(
    { ...switches('--no-stream', '--no-trunc'), ...values('--format') },
    {
      ...names,
      check: (set, args) =>
        args.length > 0 && isOn(set.get('no-stream'))
          ? null
          : 'from the page "docker stats" gives one reading of containers by name: docker stats --no-stream NAME',
    },
  ),
  diff: command({}, namesFirst),
  rename: command({}, namesFirst),
  update: command({ ...LIMIT_FLAGS, ...checked('--restart', checkRestart) }, names),
  rm: command(switches('-f --force', '-v --volumes'), names),
  'volume create': command(
    {},
    {
      createsVolume: true,
      check: (_, args) =>
        args.length === 1 ? null : 'from the page a volume has a name: docker volume create NAME',
    },
  ),
  'volume ls': command(
    { ...switches('-q --quiet'), ...values('-f --filter', '--format') },
    { lists: true },
  ),
  'volume inspect': command(values('-f --format'), { namesVolumes: true }),
  'volume rm': command(switches('-f --force'), { namesVolumes: true }),
  images: command({ ...list, ...switches('--digests', '--tree') }),
  version: command(values('-f --format')),
  info: command(values('-f --format')),
};
