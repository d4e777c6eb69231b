/**
 * `docker rmi` and `docker image prune`: a name goes, and with the last name the image.
 * Upstream: moby daemon/containerd/{image_delete,image_prune}.go.
 */
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import type { DeletedImage } from '../../protocol/docker-engine-api/images.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { LoadedImage } from '../images/image-store.ts';
import { canonicalName, familiarName, parseReference } from '../images/reference.ts';
import type { Daemon } from './daemon.ts';
import { tellPrune } from './events.ts';
import { isDangling, isTag, sizeOf } from './image-names.ts';
import { parseUntil } from './prune.ts';

const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);

const usersOf = (daemon: Daemon, { id }: LoadedImage): Container[] =>
  daemon.store.list().filter(({ record }) => record.imageId === id);

const conflict = (words: string): EngineError => new EngineError('conflict', `conflict: ${words}`);

const tell = (daemon: Daemon, action: 'untag' | 'delete', id: string): void => {
  daemon.events.emit({
    Type: 'image',
    Action: action,
    Actor: { ID: id, Attributes: { name: id } },
  });
};

export const removeImage = async (
  daemon: Daemon,
  reference: string,
  { isForced }: { readonly isForced: boolean },
): Promise<DeletedImage[]> => {
  const image = await daemon.imageStore.find(reference);
  const names = await daemon.imageStore.names(image.id);
  const tags = names.filter(isTag);
  const asked = askedName(reference, names);
  const users = usersOf(daemon, image);
  if (asked !== null && tags.length > 1) return untag(daemon, image, [asked]);
  const running = users.find(({ state }) => isRunning(state));
  if (running) {
    throw conflict(
      asked === null
        ? `unable to delete ${short(image.id)} (cannot be forced) - image is being used by running container ${short(running.id)}`
        : `unable to remove repository reference "${reference}" (must force) - container ${short(running.id)} is using its referenced image ${short(image.id)}`,
    );
  }
  const [user] = users;
  if (user && !isForced) {
    throw conflict(
      asked === null
        ? `unable to delete ${short(image.id)} (must be forced) - image is being used by stopped container ${short(user.id)}`
        : `unable to remove repository reference "${reference}" (must force) - container ${short(user.id)} is using its referenced image ${short(image.id)}`,
    );
  }
  const repositories = new Set(tags.map((name) => name.replace(/:[^:/]*$/, '')));
  if (asked === null && repositories.size > 1 && !isForced) {
    throw conflict(
      `unable to delete ${short(image.id)} (must be forced) - image is referenced in multiple repositories`,
    );
  }
  return deleteImage(daemon, image, names);
};

/** The name that was meant; null for an id. */
const askedName = (reference: string, names: readonly string[]): string | null => {
  if (/^(sha256:)?[0-9a-f]{64}$|^sha256:/.test(reference)) return null;
  const name = canonicalName(parseReference(reference));
  return names.includes(name) ? name : null;
};

const untag = async (
  daemon: Daemon,
  image: LoadedImage,
  names: readonly string[],
): Promise<DeletedImage[]> => {
  const lines: DeletedImage[] = [];
  for (const name of names) {
    await daemon.images.untag(name);
    if (isDangling(name)) continue;
    lines.push({ Untagged: familiarName(name) });
    tell(daemon, 'untag', image.id);
  }
  return lines;
};

/** The last name goes with the image: containerd collects what nobody points at any more. */
const deleteImage = async (
  daemon: Daemon,
  image: LoadedImage,
  names: readonly string[],
): Promise<DeletedImage[]> => {
  const lines = await untag(daemon, image, names);
  daemon.imageStore.forget(image.id);
  tell(daemon, 'delete', image.id);
  return [...lines, { Deleted: image.id }];
};

export const pruneImages = async (
  daemon: Daemon,
  filters: Filters,
): Promise<{
  readonly ImagesDeleted: readonly DeletedImage[] | null;
  readonly SpaceReclaimed: number;
}> => {
  for (const key of Object.keys(filters)) {
    if (!['dangling', 'label', 'label!', 'until'].includes(key))
      throw new EngineError('invalid_argument', `invalid filter '${key}'`);
  }
  const takesAll =
    filters['dangling']?.some((value) => value === 'false' || value === '0') ?? false;
  const until = filters['until']?.[0];
  const before = until === undefined ? Infinity : parseUntil(until);
  const deleted: DeletedImage[] = [];
  let SpaceReclaimed = 0;
  const targets = new Map(
    (await daemon.imageStore.list()).map(({ target }) => [target.digest, target]),
  );
  for (const target of targets.values()) {
    const image = await daemon.imageStore.read(target);
    const names = await daemon.imageStore.names(image.id);
    const labels = image.config.config?.Labels ?? {};
    const has = (label: string): boolean => {
      const [key = '', value] = label.split(/=(.*)/s, 2);
      return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
    };
    const isWanted =
      (takesAll || !names.some(isTag)) &&
      usersOf(daemon, image).length === 0 &&
      Date.parse(image.config.created ?? '1970-01-01T00:00:00Z') / 1000 < before &&
      (filters['label'] ?? []).every(has) &&
      !(filters['label!'] ?? []).some(has);
    if (!isWanted) continue;
    deleted.push(...(await deleteImage(daemon, image, names)));
    SpaceReclaimed += sizeOf(image);
  }
  tellPrune(daemon, 'image', SpaceReclaimed);
  return { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed };
};
