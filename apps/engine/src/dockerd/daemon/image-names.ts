/** Names of one image as Docker lists them: tags, digests, and none at all. */
import type { LoadedImage } from '../images/image-store.ts';
import { familiarName } from '../images/reference.ts';

/** An image without a name is kept under its own digest. */
export const isDangling = (name: string): boolean => name.startsWith('sha256:');

export const isTag = (name: string): boolean => !name.includes('@') && !isDangling(name);

/** `repository@digest` for each repository that has a name for it. */
export const repoDigests = (names: readonly string[], digest: string): string[] => [
  ...new Set(
    names
      .filter((name) => !isDangling(name))
      .map((name) => `${familiarName(name.replace(/@.*$|:[^:/]*$/, ''))}@${digest}`),
  ),
];

export const sizeOf = ({ layers, target }: LoadedImage): number =>
  layers.reduce((sum, { size }) => sum + size, target.size);
