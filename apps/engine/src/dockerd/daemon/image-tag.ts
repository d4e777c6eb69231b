/** `docker tag`. Upstream: moby daemon/containerd/image_tag.go. */
import { EngineError } from '../../protocol/errdefs.ts';
import { canonicalName, familiarName, parseReference } from '../images/reference.ts';
import type { Daemon } from './daemon.ts';

/** The name that a new image is to have; null when none is given. */
export const newName = (repository: string, tag: string): string | null => {
  if (repository === '') return null;
  const reference = parseReference(tag === '' ? repository : `${repository}:${tag}`);
  if (reference.digest !== null)
    throw new EngineError('invalid_argument', 'refusing to create a tag with a digest reference');
  return canonicalName(reference);
};

export const tagImage = async (
  daemon: Daemon,
  reference: string,
  { repository, tag }: { readonly repository: string; readonly tag: string },
): Promise<void> => {
  const image = await daemon.imageStore.find(reference);
  const name = newName(repository, tag);
  if (name === null) throw new EngineError('invalid_argument', 'invalid reference format');
  await daemon.imageStore.tag(daemon.images, name, image.target);
  daemon.events.emit({
    Type: 'image',
    Action: 'tag',
    Actor: { ID: image.id, Attributes: { name: familiarName(name) } },
  });
};
