/** The command line of dockerd; the names are Docker's. Upstream: moby cmd/dockerd. */
import { parseArgs } from 'node:util';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { readConfigFile, refuseConflict } from './config-file.ts';
import { DEFAULT_RUNTIME } from './container/runtime.ts';
import { checkInsecureRegistry, type RegistryOptions } from './distribution/endpoint.ts';

export interface DockerdOptions {
  readonly socketPath: string;
  readonly containerd: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly cgroupParent: string;
  readonly defaultRuntime: string;
  readonly addedRuntimes: readonly string[];
  readonly shim: string;
  readonly isLiveRestore: boolean;
  /** Read again at SIGHUP. */
  readonly configFile: string | null;
  readonly pidfile: string | null;
  readonly removesNetworks: boolean;
  readonly registries: RegistryOptions;
}

export const HELP = `Usage: dockerd [OPTIONS]

The Docker Engine API on a unix socket, over containerd.

  -H, --host unix://PATH      where to listen (unix:///run/engine-room/docker.sock)
      --containerd PATH       containerd's socket (/run/engine-room/containerd.sock)
      --data-root DIR         containers and their logs (/var/lib/engine-room/docker)
      --exec-root DIR         FIFOs of running containers (/run/engine-room/docker)
      --cgroup-parent PATH    the cgroup above those of all containers (/engine-room)
      --add-runtime NAME=PATH an OCI runtime for docker run --runtime NAME (repeatable)
      --default-runtime NAME  the one without --runtime (${DEFAULT_RUNTIME})
      --shim NAME             the shim of runc and of added runtimes, as containerd names it, or its path (${DEFAULT_RUNTIME});
                              not an option of Docker, whose shim is io.containerd.runc.v2
      --live-restore          leave containers running when stopped in good order
      --config-file FILE      daemon.json; knows live-restore, and is read again at SIGHUP
      --insecure-registry R   a host or a network whose registries need no valid certificate (repeatable)
      --pidfile FILE          write the pid there
      --remove-networks       remove what a killed dockerd of this data root has left in the kernel's networking, and leave
  -v, --version               print the version
  -h, --help                  print this
`;

/** Docker's own place, so that a registry's authority is trusted once for both. */
const CERTIFICATES = '/etc/docker/certs.d';

const absolute = (flag: string, path: string): string => {
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw new EngineError('invalid_argument', `--${flag} wants an absolute path, not "${path}"`);
};

export const parseOptions = (argv: readonly string[]): DockerdOptions | 'help' | 'version' => {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      strict: true,
      options: {
        host: { type: 'string', short: 'H', default: 'unix:///run/engine-room/docker.sock' },
        containerd: { type: 'string', default: '/run/engine-room/containerd.sock' },
        'data-root': { type: 'string', default: '/var/lib/engine-room/docker' },
        'exec-root': { type: 'string', default: '/run/engine-room/docker' },
        'cgroup-parent': { type: 'string', default: '/engine-room' },
        'add-runtime': { type: 'string', multiple: true, default: [] },
        shim: { type: 'string', default: DEFAULT_RUNTIME },
        'default-runtime': { type: 'string', default: DEFAULT_RUNTIME },
        'live-restore': { type: 'boolean' },
        'config-file': { type: 'string' },
        'insecure-registry': { type: 'string', multiple: true, default: [] },
        'remove-networks': { type: 'boolean', default: false },
        pidfile: { type: 'string' },
        version: { type: 'boolean', short: 'v', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new EngineError('invalid_argument', messageOf(error), { cause: error });
  }
  if (values.help) return 'help';
  if (values.version) return 'version';
  if (!values.host.startsWith('unix://')) {
    throw new EngineError(
      'invalid_argument',
      `--host ${values.host}: only unix:// sockets are supported by this daemon yet`,
    );
  }
  const configFile =
    values['config-file'] === undefined ? null : absolute('config-file', values['config-file']);
  const config = configFile === null ? null : readConfigFile(configFile);
  if (configFile !== null && config) refuseConflict(configFile, config, values['live-restore']);
  return {
    socketPath: absolute('host', values.host.slice('unix://'.length)),
    containerd: absolute('containerd', values.containerd.replace(/^unix:\/\//, '')),
    dataRoot: absolute('data-root', values['data-root']),
    execRoot: absolute('exec-root', values['exec-root']),
    cgroupParent: absolute('cgroup-parent', values['cgroup-parent']).replace(/\/+$/, ''),
    defaultRuntime: values['default-runtime'],
    addedRuntimes: values['add-runtime'],
    shim: values.shim,
    isLiveRestore: values['live-restore'] ?? config?.liveRestore ?? false,
    configFile,
    registries: {
      insecureRegistries: values['insecure-registry'].map(checkInsecureRegistry),
      certificates: CERTIFICATES,
    },
    removesNetworks: values['remove-networks'],
    pidfile: values.pidfile === undefined ? null : absolute('pidfile', values.pidfile),
  };
};
