/**
 * `runc -h`, `runc VERB -h`: the pages of help, in the shape of upstream's command line library and in our own words.
 * https://github.com/urfave/cli (v1). Upstream: runc main.go.
 */

interface Page {
  readonly what: string;
  readonly usage: string;
  /** Options and what they are for. */
  readonly options?: readonly (readonly [option: string, purpose: string])[];
}

const BUNDLE = [
  '--bundle DIR, -b DIR',
  'the folder with config.json (default: where you are)',
] as const;
const PID_FILE = ['--pid-file FILE', "write the first process's number to this file"] as const;
const CONSOLE = [
  '--console-socket PATH',
  'a unix socket that gets the master of the terminal',
] as const;
const PRESERVE = ['--preserve-fds N', 'pass descriptors 3 to 3+N-1 on to the program'] as const;
const DETACH = ['--detach, -d', 'do not wait for the program'] as const;
const CREATE = [
  BUNDLE,
  CONSOLE,
  PID_FILE,
  PRESERVE,
  ['--no-pivot', 'move the root instead of pivot_root(2): for a host on an initramfs'],
  ['--no-new-keyring', "stay in the caller's session keyring"],
] as const;
const FORMAT = ['--format FORMAT, -f FORMAT', 'table (default) or json'] as const;
const ID = '<container-id>';

const PAGES: Readonly<Record<string, Page>> = {
  create: { what: 'make a container, parked before its program', usage: ID, options: CREATE },
  start: { what: 'let a created container run its program', usage: ID },
  run: {
    what: 'create, start, wait and delete in one',
    usage: ID,
    options: [
      ...CREATE,
      DETACH,
      ['--keep', 'leave the stopped container there'],
      ['--no-subreaper', 'do not adopt what the container leaves behind'],
    ],
  },
  state: { what: 'print what is known of a container, as JSON', usage: ID },
  kill: {
    what: 'send a signal (default: SIGTERM)',
    usage: `${ID} [signal]`,
    options: [['--all, -a', 'to every process of the container']],
  },
  delete: {
    what: 'remove what is left of a stopped container',
    usage: ID,
    options: [['--force, -f', 'end it with SIGKILL first, if it runs']],
  },
  exec: {
    what: 'one more process in a container that runs',
    usage: `${ID} <command> [arguments...]`,
    options: [
      CONSOLE,
      ['--cwd DIR', 'the working directory in the container'],
      ['--env NAME=VALUE, -e NAME=VALUE', 'one more variable'],
      ['--tty, -t', 'give it a terminal'],
      ['--user UID[:GID], -u UID[:GID]', 'who it is'],
      ['--additional-gids GID, -g GID', 'one more group'],
      ['--process FILE, -p FILE', 'all of it, as the JSON of the specification'],
      DETACH,
      PID_FILE,
      ['--apparmor PROFILE', 'the AppArmor profile'],
      ['--no-new-privs', 'no program may give it more power'],
      ['--cap NAME, -c NAME', 'one more capability'],
      PRESERVE,
      ['--cgroup [CONTROLLERS:]PATH', "join a cgroup below the container's, which must be there"],
      ['--ignore-paused', 'also into a frozen container'],
    ],
  },
  list: {
    what: 'the containers below --root',
    usage: '',
    options: [FORMAT, ['--quiet, -q', 'only their names']],
  },
  ps: { what: 'the processes of a container', usage: `${ID} [ps options]`, options: [FORMAT] },
  pause: { what: 'freeze all processes', usage: ID },
  resume: { what: 'let frozen processes go on', usage: ID },
  update: {
    what: 'new limits for a container',
    usage: ID,
    options: [
      ['--resources FILE, -r FILE', 'JSON of the specification; - is standard input'],
      ['--memory SIZE', 'memory'],
      ['--memory-reservation SIZE', 'memory that it keeps under pressure'],
      ['--memory-swap SIZE', 'memory and swap together; -1 for no limit'],
      ['--cpu-period MICROSECONDS', 'the period in which processor time is counted'],
      ['--cpu-quota MICROSECONDS', 'processor time in a period'],
      ['--cpu-share N', 'its weight when the processors are busy'],
      ['--cpu-rt-period MICROSECONDS', 'the same for realtime'],
      ['--cpu-rt-runtime MICROSECONDS', 'the same for realtime'],
      ['--cpuset-cpus LIST', 'which processors'],
      ['--cpuset-mems LIST', 'which memory nodes'],
      ['--blkio-weight N', 'its weight at the disks, 10 to 1000'],
      ['--pids-limit N', 'processes and threads'],
    ],
  },
  events: {
    what: 'statistics now and then, and when memory ran out',
    usage: ID,
    options: [
      ['--interval DURATION', 'how often (default: 5s)'],
      ['--stats', 'once, and end'],
    ],
  },
  spec: {
    what: 'write an example of config.json',
    usage: '',
    options: [BUNDLE, ['--rootless', 'for a user who is not root']],
  },
  features: { what: 'print what this runtime can do, as JSON', usage: '' },
  checkpoint: { what: 'not supported: it needs CRIU', usage: ID },
  restore: { what: 'not supported: it needs CRIU', usage: ID },
};

const GLOBAL = [
  ['--debug', 'write each system call to the log'],
  ['--log FILE', 'where the log goes (default: standard error)'],
  ['--log-format FORMAT', 'text (default) or json'],
  ['--root DIR', 'where the state of containers is kept (default: /run/runc)'],
  ['--help, -h', 'this page, or that of a verb'],
  ['--version, -v', 'print the version'],
] as const;

const table = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `   ${left.padEnd(width)}  ${right}\n`).join('');
};

export const mainHelp = (): string =>
  `NAME:\n   runc - Open Container Initiative runtime, the one of Engine Room\n\n` +
  `USAGE:\n   runc [global options] command [command options] [arguments...]\n\n` +
  `COMMANDS:\n${table(Object.entries(PAGES).map(([verb, { what }]) => [verb, what]))}\n` +
  `GLOBAL OPTIONS:\n${table(GLOBAL)}`;

/** Null for a word that is no verb. */
export const helpOf = (verb: string): string | null => {
  const page = Object.hasOwn(PAGES, verb) ? PAGES[verb] : undefined;
  if (!page) return null;
  const { what, usage, options = [] } = page;
  const how = ['runc', verb, ...(options.length > 0 ? ['[command options]'] : []), usage];
  return (
    `NAME:\n   runc ${verb} - ${what}\n\nUSAGE:\n   ${how.filter(Boolean).join(' ')}\n` +
    (options.length > 0 ? `\nOPTIONS:\n${table(options)}` : '')
  );
};
