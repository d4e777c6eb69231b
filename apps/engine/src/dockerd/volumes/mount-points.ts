/**
 * `-v`, `--mount` and the volumes of the image → what a container will find mounted, or Docker's sentence why not.
 * Pure but for one question: whether the source of `--mount type=bind` exists.
 * Upstream: moby daemon/volume/mounts/{linux_parser,validate}.go.
 */
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { MountRequest } from '../../protocol/docker-engine-api/volumes.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { checkVolumeName, LOCAL_DRIVER } from './volume-store.ts';

/** What is kept with the container. */
export interface MountPoint {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** The volume; empty for one that nobody named, until it is made. */
  readonly name: string;
  /** A path of the host: of the user's for a bind mount, of the volume's files otherwise. */
  readonly source: string;
  readonly destination: string;
  /** As it was written behind the second colon. */
  readonly mode: string;
  readonly isWritable: boolean;
  readonly propagation: string;
  /** `rm -v` takes away only what nobody named. */
  readonly isNamed: boolean;
  /** A new volume shows what the image has at this place. */
  readonly copiesUp: boolean;
  /** `-v` makes a missing folder of the host, `--mount` refuses. */
  readonly makesSource: boolean;
  readonly isRecursive: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** `size=` and `mode=` of a tmpfs. */
  readonly tmpfsOptions: readonly string[];
}

const PRIVATE = ['private', 'rprivate'];
const TRAVELLING = ['shared', 'rshared', 'slave', 'rslave'];
const MODES = new Set(['ro', 'rw', 'z', 'Z', 'nocopy', 'consistent', 'cached', 'delegated']);

const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

const NOTHING: Omit<MountPoint, 'type' | 'destination'> = {
  name: '',
  source: '',
  mode: '',
  isWritable: true,
  propagation: '',
  isNamed: false,
  copiesUp: false,
  makesSource: false,
  isRecursive: true,
  labels: {},
  tmpfsOptions: [],
};

const destinationOf = (path: string, problem: (sentence: string) => never): string => {
  if (path.includes('\0')) problem('a path cannot contain a NUL byte');
  if (!path.startsWith('/')) problem(`invalid mount path: '${path}' mount path must be absolute`);
  const normal = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (normal === '/') problem("invalid specification: destination can't be '/'");
  return normal;
};

/** `/host:/path:ro`, `name:/path`, `/path`. */
export const parseBind = (spec: string): MountPoint => {
  const parts = spec.split(':');
  const [first = '', second, mode = ''] = parts;
  const invalid = (why?: string): never =>
    refuse(`invalid volume specification: '${spec}'${why === undefined ? '' : `: ${why}`}`);
  if (parts.length > 3 || first === '' || second === '') invalid();
  const source = second === undefined ? '' : first;
  const words = mode === '' ? [] : mode.split(',');
  const propagation = words.find((word) => [...PRIVATE, ...TRAVELLING].includes(word)) ?? '';
  const isBind = source.startsWith('/');
  const isKnown = words.every((word) => MODES.has(word) || (isBind && word === propagation));
  if (!isKnown || (words.includes('ro') && words.includes('rw'))) refuse(`invalid mode: ${mode}`);
  const type = isBind ? 'bind' : 'volume';
  const destination = destinationOf(second ?? first, (why) =>
    invalid(`invalid mount config for type "${type}": ${why}`),
  );
  const shared = { ...NOTHING, destination, mode, isWritable: !words.includes('ro') };
  if (isBind) {
    if (source.includes('\0')) invalid();
    return {
      ...shared,
      type,
      source: posix.normalize(source).replace(/(.)\/$/, '$1'),
      propagation: propagation || 'rprivate',
      makesSource: true,
    };
  }
  if (source !== '') checkVolumeName(source);
  return {
    ...shared,
    type,
    name: source,
    isNamed: source !== '',
    copiesUp: !words.includes('nocopy'),
  };
};

/** One `--mount`. */
export const parseMount = (asked: MountRequest): MountPoint => {
  const invalid = (why: string): never =>
    refuse(`invalid mount config for type "${asked.Type}": ${why}`);
  if (asked.Target === '') invalid('field Target must not be empty');
  const destination = destinationOf(asked.Target, invalid);
  const shared = { ...NOTHING, destination, isWritable: !asked.ReadOnly };
  switch (asked.Type) {
    case 'bind':
      return { ...shared, ...bindOf(asked, invalid) };
    case 'volume':
      return { ...shared, ...volumeOf(asked, invalid) };
    case 'tmpfs':
      if (asked.Source !== '') invalid('field Source must not be specified');
      return { ...shared, type: 'tmpfs', tmpfsOptions: tmpfsOptionsOf(asked) };
    default:
      return invalid('mount type unknown');
  }
};

const bindOf = (asked: MountRequest, invalid: (why: string) => never) => {
  const { Source, BindOptions } = asked;
  if (Source === '') invalid('field Source must not be empty');
  if (asked.VolumeOptions) invalid('field VolumeOptions must not be specified');
  if (!Source.startsWith('/') || Source.includes('\0')) {
    invalid(`invalid mount path: '${Source}' mount path must be absolute`);
  }
  const propagation = BindOptions?.Propagation || 'rprivate';
  if (![...PRIVATE, ...TRAVELLING].includes(propagation)) {
    invalid(`invalid propagation mode: ${propagation}`);
  }
  const makesSource = BindOptions?.CreateMountpoint ?? false;
  if (!makesSource && !existsSync(Source)) invalid(`bind source path does not exist: ${Source}`);
  return {
    type: 'bind' as const,
    source: posix.normalize(Source).replace(/(.)\/$/, '$1'),
    propagation,
    makesSource,
    isRecursive: !(BindOptions?.NonRecursive ?? false),
  };
};

const volumeOf = (asked: MountRequest, invalid: (why: string) => never) => {
  if (asked.BindOptions) invalid('field BindOptions must not be specified');
  if (asked.Source !== '') checkVolumeName(asked.Source);
  const { VolumeOptions: options } = asked;
  if (options?.Subpath) {
    refuse('a part of a volume (volume-subpath) is not supported by this daemon yet');
  }
  checkDriver(options?.DriverConfig.Name ?? '', options?.DriverConfig.Options ?? {});
  return {
    type: 'volume' as const,
    name: asked.Source,
    isNamed: asked.Source !== '',
    copiesUp: !(options?.NoCopy ?? false),
    labels: options?.Labels ?? {},
  };
};

const tmpfsOptionsOf = ({ TmpfsOptions }: MountRequest): readonly string[] => [
  ...(TmpfsOptions && TmpfsOptions.SizeBytes > 0 ? [`size=${TmpfsOptions.SizeBytes}`] : []),
  ...(TmpfsOptions && TmpfsOptions.Mode > 0 ? [`mode=${TmpfsOptions.Mode.toString(8)}`] : []),
];

/** There is one volume driver, and its folders need no options. */
export const checkDriver = (name: string, options: Readonly<Record<string, string>>): void => {
  if (name !== '' && name !== LOCAL_DRIVER) {
    refuse(`error looking up volume plugin ${name}: plugin "${name}" not found`);
  }
  if (Object.keys(options).length > 0) {
    refuse('options of a volume driver (--opt) are not supported by this daemon yet');
  }
};

/** `--volumes-from container[:ro]`. */
export const parseVolumesFrom = (
  spec: string,
): { readonly container: string; readonly isReadOnly: boolean } => {
  const [container = '', mode = 'rw', ...more] = spec.split(':');
  if (container === '') refuse('volumes-from specification cannot be an empty string');
  if (more.length > 0 || !['ro', 'rw', 'z', 'Z'].includes(mode)) {
    refuse(`invalid mode for volumes-from: ${mode}`);
  }
  return { container, isReadOnly: mode === 'ro' };
};

/** What the user names, then what the image wants and the user did not. Two at one place are refused. */
export const parseMountPoints = (asked: {
  readonly binds: readonly string[];
  readonly mounts: readonly MountRequest[];
  readonly volumes: readonly string[];
  readonly tmpfs: readonly string[];
  readonly inherited: readonly MountPoint[];
}): readonly MountPoint[] => {
  const points = new Map(asked.inherited.map((point) => [point.destination, point]));
  const taken = new Set(asked.tmpfs.map((path) => posix.normalize(path)));
  for (const point of [...asked.binds.map(parseBind), ...asked.mounts.map(parseMount)]) {
    if (taken.has(point.destination)) refuse(`Duplicate mount point: ${point.destination}`);
    taken.add(point.destination);
    points.set(point.destination, point);
  }
  for (const path of asked.volumes) {
    const point = parseBind(path);
    if (!points.has(point.destination) && !taken.has(point.destination)) {
      points.set(point.destination, point);
    }
  }
  return [...points.values()];
};
