/**
 * Where a file of a running container lies: in its own writable layer, or in the image's. The kernel says which
 * folders they are, in the options of the overlay mount at the container's root. overlayfs: kernel overlayfs.rst
 */
import { readFileSync } from 'node:fs';
import type { FactName } from '../../protocol/lesson/facts.ts';
import type { Value } from '../../protocol/lesson/predicate.ts';
import { lookInto } from './folder.ts';

export const layerFact = (name: FactName, pid: number, path: string): Value => {
  const layers = layersOf(pid);
  if (!layers) return null;
  return name === 'layer.writable.has'
    ? has(layers.upper, path)
    : layers.lower.some((layer) => has(layer, path));
};

const layersOf = (
  pid: number,
): { readonly upper: string; readonly lower: readonly string[] } | null => {
  try {
    const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[4] === '/' && line.includes(' - overlay '));
    const options = root?.split(' - ')[1]?.split(' ')[2]?.split(',') ?? [];
    const option = (key: string): string | undefined =>
      options.find((each) => each.startsWith(`${key}=`))?.slice(key.length + 1);
    const upper = option('upperdir');
    const lower = option('lowerdir');
    if (upper === undefined || lower === undefined) return null;
    return { upper, lower: lower.split(':') };
  } catch {
    return null;
  }
};

/** A character device 0/0 is a whiteout: the file was removed here. */
const has = (layer: string, path: string): boolean => {
  const found = lookInto(layer, path);
  return found !== null && !(found.isCharacterDevice() && found.rdev === 0);
};
