/** The lab's flags, each also a variable ENGINE_ROOM_<FLAG>; a flag wins over its variable. */
import { parseArgs } from 'node:util';
import { EngineError } from '../protocol/errdefs.ts';
import { isLoopback } from './gateway/guard.ts';
import { LIMITS } from './policy/limits.ts';

export interface LabOptions {
  readonly port: number;
  readonly host: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly dockerSocket: string | null;
  readonly cgroupParent: string;
  readonly runtime: string | null;
  readonly shim: string | null;
  readonly auth: boolean;
  readonly liveRestore: boolean;
  readonly registryMirrors: readonly string[];
  readonly open: boolean;
  /** A second door, for rooms only; null: there is none. */
  readonly audience: { readonly host: string; readonly port: number } | null;
  readonly audienceUrl: URL | null;
  /** The broker that several labs share; null: this one is alone. */
  readonly bus: string | null;
  /** Milliseconds after which one more fault may be injected. */
  readonly faultPauseMs: number;
  /** Commands from the page that go on at once; more of them wait in a line. */
  readonly maxRuns: number;
}

export const HELP = `Engine Room: watch a real docker run travel from the client to the kernel and back.

Usage: npm start -- [options]

  --port N             port of the page (default 7070; 0 takes a free one)
  --host ADDRESS       address to listen on (default 127.0.0.1)
  --data-root DIR      images, containers and recorded traces
                       (default /var/lib/engine-room, or ~/.local/share/engine-room without root)
  --exec-root DIR      sockets, pidfiles and what runs now
                       (default /run/engine-room, or below $XDG_RUNTIME_DIR without root)
  --docker-socket PATH the Docker Engine API (default EXEC-ROOT/docker.sock)
  --cgroup-parent PATH cgroup of all containers (default /engine-room)
  --runtime NAME|PATH  have another OCI runtime make the containers, such as runc or crun; seen from outside
  --shim NAME|PATH     have another shim keep them, such as io.containerd.runc.v2; seen from outside
  --live-restore       containers go on when dockerd is stopped (off, as in Docker)
  --registry-mirror URL
                       a registry that is asked for images of Docker Hub first (repeatable)
  --audience ADDRESS:PORT
                       a second door for the screens of a class, with rooms and nothing else (off);
                       it is HTTP without TLS, so who is in that network can read what a room shows
  --audience-url URL   where a reverse proxy answers for that door, such as https://class.example
  --bus URL            a NATS server that several labs share, such as nats://broker:4222 (none)
  --fault-pause N      seconds between faults from the page, after the first few (default 3)
  --max-runs N         commands from the page that go on at once; more of them wait (default 32)
  --no-auth            no token; refused unless the page listens on loopback
  --no-open            do not open a browser
  --help               this text

Each option is also a variable: ENGINE_ROOM_PORT, ENGINE_ROOM_HOST, ENGINE_ROOM_DATA_ROOT, ENGINE_ROOM_EXEC_ROOT,
ENGINE_ROOM_DOCKER_SOCKET, ENGINE_ROOM_CGROUP_PARENT, ENGINE_ROOM_RUNTIME, ENGINE_ROOM_SHIM,
ENGINE_ROOM_LIVE_RESTORE=1, ENGINE_ROOM_NO_AUTH=1, ENGINE_ROOM_NO_OPEN=1, ENGINE_ROOM_AUDIENCE,
ENGINE_ROOM_AUDIENCE_URL, ENGINE_ROOM_BUS, ENGINE_ROOM_REGISTRY_MIRROR, ENGINE_ROOM_FAULT_PAUSE,
ENGINE_ROOM_MAX_RUNS.
`;

type Environment = Readonly<Record<string, string | undefined>>;

const isOn = (value: string | undefined): boolean =>
  value !== undefined && value !== '' && value !== '0';

const bad = (message: string): EngineError => new EngineError('invalid_argument', message);

/** Null when only help was asked for. */
export const parseOptions = (
  argv: readonly string[],
  environment: Environment,
  isRoot: boolean,
): LabOptions | null => {
  const values = parse(argv);
  if (values.help) return null;
  const home = environment['HOME'] ?? '/root';
  const word = (flag: string | undefined, name: string, standard: string): string =>
    flag ?? environment[`ENGINE_ROOM_${name}`] ?? standard;
  const path = (flag: string | undefined, name: string, standard: string): string => {
    const value = word(flag, name, standard);
    if (!value.startsWith('/'))
      throw bad(`${name.toLowerCase().replace('_', '-')} must be an absolute path, not "${value}"`);
    return value;
  };
  const port = Number(word(values.port, 'PORT', '7070'));
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw bad('port must be a number from 0 to 65535');
  const host = word(values.host, 'HOST', '127.0.0.1');
  const auth = !(values['no-auth'] ?? isOn(environment['ENGINE_ROOM_NO_AUTH']));
  if (!auth && !isLoopback(host)) {
    throw bad(
      `--no-auth is refused with --host ${host}: everybody in the network could start containers here`,
    );
  }
  const faultPause = Number(word(values['fault-pause'], 'FAULT_PAUSE', '3'));
  if (!(faultPause >= 0 && faultPause <= 3600))
    throw bad('fault-pause must be a number of seconds, from 0 to 3600');
  const maxRuns = Number(word(values['max-runs'], 'MAX_RUNS', String(LIMITS.all.runs)));
  if (!Number.isInteger(maxRuns) || maxRuns < 1 || maxRuns > 1000)
    throw bad('max-runs must be a whole number from 1 to 1000');
  const socket = word(values['docker-socket'], 'DOCKER_SOCKET', '');
  return {
    port,
    host,
    auth,
    dataRoot: path(
      values['data-root'],
      'DATA_ROOT',
      isRoot ? '/var/lib/engine-room' : `${home}/.local/share/engine-room`,
    ),
    execRoot: path(
      values['exec-root'],
      'EXEC_ROOT',
      isRoot
        ? '/run/engine-room'
        : `${environment['XDG_RUNTIME_DIR'] ?? `${home}/.cache`}/engine-room`,
    ),
    dockerSocket: socket === '' ? null : path(socket, 'DOCKER_SOCKET', ''),
    cgroupParent: path(values['cgroup-parent'], 'CGROUP_PARENT', '/engine-room'),
    runtime: word(values.runtime, 'RUNTIME', '') || null,
    shim: word(values.shim, 'SHIM', '') || null,
    liveRestore: values['live-restore'] ?? isOn(environment['ENGINE_ROOM_LIVE_RESTORE']),
    registryMirrors: values['registry-mirror'] ?? mirrorsIn(environment),
    audience: audienceOf(word(values.audience, 'AUDIENCE', '')),
    audienceUrl: webUrl(word(values['audience-url'], 'AUDIENCE_URL', '')),
    bus: busUrl(word(values.bus, 'BUS', '')),
    faultPauseMs: faultPause * 1000,
    maxRuns,
    open: !(values['no-open'] ?? isOn(environment['ENGINE_ROOM_NO_OPEN'])),
  };
};

const audienceOf = (text: string): LabOptions['audience'] => {
  if (text === '') return null;
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65535)
    throw bad(`audience must be ADDRESS:PORT, such as 0.0.0.0:7080, not "${text}"`);
  return { host, port: Number(port) };
};

const webUrl = (text: string): URL | null => {
  if (text === '') return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/')
    throw bad(`audience-url must be like https://class.example, without a path, not "${text}"`);
  return url;
};

const busUrl = (text: string): string | null => {
  if (text === '') return null;
  if (!/^(?:nats|tls):\/\/\S+$/.test(text))
    throw bad('bus must be the address of a NATS server, such as nats://broker:4222');
  return text;
};

const mirrorsIn = (environment: Environment): string[] =>
  (environment['ENGINE_ROOM_REGISTRY_MIRROR'] ?? '').split(/\s+/).filter((word) => word !== '');

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        'data-root': { type: 'string' },
        'exec-root': { type: 'string' },
        'docker-socket': { type: 'string' },
        'cgroup-parent': { type: 'string' },
        runtime: { type: 'string' },
        shim: { type: 'string' },
        'fault-pause': { type: 'string' },
        'max-runs': { type: 'string' },
        'no-auth': { type: 'boolean' },
        audience: { type: 'string' },
        'audience-url': { type: 'string' },
        bus: { type: 'string' },
        'live-restore': { type: 'boolean' },
        'registry-mirror': { type: 'string', multiple: true },
        'no-open': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw bad(`${(error as Error).message.split('. ')[0]}; see --help`);
  }
};
