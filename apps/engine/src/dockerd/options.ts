/** The command line of dockerd; the names are Docker's. Upstream: moby cmd/dockerd. */
import { parseArgs } from 'node:util';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { readConfigFile, refuseConflict } from './config-file.ts';
import { DEFAULT_RUNTIME } from './container/runtime.ts';
import {
  checkInsecureRegistry,
  checkMirror,
  type RegistryOptions,
} from './distribution/endpoint.ts';
import { parseSubnet6 } from './libnetwork/subnet6.ts';
import { parseListenAddress, type ListenAddress } from './listen-address.ts';
import { tlsSettings, wantsTls, type TlsSettings } from './tls-files.ts';

export interface DockerdOptions {
  /** Where the API is offered, one or more. */
  readonly hosts: readonly ListenAddress[];
  /** For the TCP ones; null for none. */
  readonly tls: TlsSettings | null;
  /** `--tls=false` or `--tlsverify=false` was said, so nobody needs to be warned of it. */
  readonly isTlsDenied: boolean;
  readonly containerd: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly cgroupParent: string;
  /** The snapshotter; null chooses what the machine can do best. */
  readonly storageDriver: string | null;
  readonly defaultRuntime: string;
  readonly addedRuntimes: readonly string[];
  readonly shim: string;
  readonly isLiveRestore: boolean;
  /** Read again at SIGHUP. */
  readonly configFile: string | null;
  readonly pidfile: string | null;
  readonly removesNetworks: boolean;
  readonly registries: RegistryOptions;
  /** The subnet of the default bridge, or empty for one of the engine's own; null without --ipv6. */
  readonly ipv6: string | null;
}

export const HELP = `Usage: dockerd [OPTIONS]

The Docker Engine API over containerd.

  -H, --host ADDRESS          where to listen, unix:///PATH or tcp://HOST:PORT (repeatable;
                              unix:///run/engine-room/docker.sock)
      --tls                   TLS for TCP; --tlsverify implies it
      --tlsverify             TLS, and only for clients with a certificate of the authority's
      --tlscacert FILE        the authority that signs clients (~/.docker/ca.pem)
      --tlscert FILE          the certificate of this daemon (~/.docker/cert.pem)
      --tlskey FILE           its key (~/.docker/key.pem)
      --containerd PATH       containerd's socket (/run/engine-room/containerd.sock)
      --data-root DIR         containers and their logs (/var/lib/engine-room/docker)
      --exec-root DIR         FIFOs of running containers (/run/engine-room/docker)
  -s, --storage-driver NAME   where layers are: overlayfs, or native, which copies (overlayfs where the machine has it)
      --cgroup-parent PATH    the cgroup above those of all containers (/engine-room)
      --add-runtime NAME=PATH an OCI runtime for docker run --runtime NAME (repeatable)
      --default-runtime NAME  the one without --runtime (${DEFAULT_RUNTIME})
      --shim NAME             the shim of runc and of added runtimes, as containerd names it, or its path (${DEFAULT_RUNTIME});
                              not an option of Docker, whose shim is io.containerd.runc.v2
      --live-restore          leave containers running when stopped in good order
      --config-file FILE      daemon.json; knows live-restore, and is read again at SIGHUP
      --insecure-registry R   a host or a network whose registries need no valid certificate (repeatable)
      --ipv6                  IPv6 on the default bridge
      --fixed-cidr-v6 SUBNET  the default bridge's, instead of one of the engine's own
      --registry-mirror URL   a registry that is asked for images of Docker Hub first (repeatable)
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

/** A subnet alone asks for nothing, as in Docker; but it must be one. */
const defaultIpv6 = (isWanted: boolean, subnet: string): string | null => {
  if (subnet !== '') parseSubnet6(subnet);
  return isWanted ? subnet : null;
};

/** `--tls=false` and the like: Docker's switches take a value, Node's do not. */
const DENIED = /^--(tls|tlsverify)=(?:false|0)$/;
const GRANTED = /^--(tls|tlsverify)=(?:true|1)$/;

export const parseOptions = (argv: readonly string[]): DockerdOptions | 'help' | 'version' => {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv.filter((word) => !DENIED.test(word)).map((word) => word.replace(GRANTED, '--$1')),
      strict: true,
      options: {
        host: {
          type: 'string',
          short: 'H',
          multiple: true,
          default: ['unix:///run/engine-room/docker.sock'],
        },
        tls: { type: 'boolean' },
        tlsverify: { type: 'boolean' },
        tlscacert: { type: 'string' },
        tlscert: { type: 'string' },
        tlskey: { type: 'string' },
        containerd: { type: 'string', default: '/run/engine-room/containerd.sock' },
        'data-root': { type: 'string', default: '/var/lib/engine-room/docker' },
        'exec-root': { type: 'string', default: '/run/engine-room/docker' },
        'cgroup-parent': { type: 'string', default: '/engine-room' },
        'add-runtime': { type: 'string', multiple: true, default: [] },
        'storage-driver': { type: 'string', short: 's' },
        shim: { type: 'string', default: DEFAULT_RUNTIME },
        'default-runtime': { type: 'string', default: DEFAULT_RUNTIME },
        'live-restore': { type: 'boolean' },
        'config-file': { type: 'string' },
        ipv6: { type: 'boolean', default: false },
        'fixed-cidr-v6': { type: 'string', default: '' },
        'insecure-registry': { type: 'string', multiple: true, default: [] },
        'registry-mirror': { type: 'string', multiple: true, default: [] },
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
  const denied = new Set(argv.map((word) => DENIED.exec(word)?.[1]));
  const { tlscacert, tlscert, tlskey } = values;
  const tlsFlags = {
    tls: denied.has('tls') ? false : values.tls,
    tlsverify: denied.has('tlsverify') ? false : values.tlsverify,
    tlscacert,
    tlscert,
    tlskey,
  };
  const configFile =
    values['config-file'] === undefined ? null : absolute('config-file', values['config-file']);
  const config = configFile === null ? null : readConfigFile(configFile);
  if (configFile !== null && config) refuseConflict(configFile, config, values['live-restore']);
  return {
    hosts: values.host.map((host) => parseListenAddress(host, { hasTls: wantsTls(tlsFlags) })),
    tls: tlsSettings(tlsFlags),
    isTlsDenied: tlsFlags.tls === false || tlsFlags.tlsverify === false,
    containerd: absolute('containerd', values.containerd.replace(/^unix:\/\//, '')),
    dataRoot: absolute('data-root', values['data-root']),
    execRoot: absolute('exec-root', values['exec-root']),
    cgroupParent: absolute('cgroup-parent', values['cgroup-parent']).replace(/\/+$/, ''),
    storageDriver: values['storage-driver'] ?? null,
    defaultRuntime: values['default-runtime'],
    addedRuntimes: values['add-runtime'],
    shim: values.shim,
    isLiveRestore: values['live-restore'] ?? config?.liveRestore ?? false,
    configFile,
    registries: {
      insecureRegistries: values['insecure-registry'].map(checkInsecureRegistry),
      mirrors: values['registry-mirror'].map(checkMirror),
      certificates: CERTIFICATES,
    },
    ipv6: defaultIpv6(values.ipv6, values['fixed-cidr-v6']),
    removesNetworks: values['remove-networks'],
    pidfile: values.pidfile === undefined ? null : absolute('pidfile', values.pidfile),
  };
};
