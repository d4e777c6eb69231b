/**
 * The files of one log: the one that is written, and `.1`, `.2`, … that were written before, the higher the older.
 * Upstream: moby daemon/logger/loggerutils/logfile.go.
 */
import { renameSync, rmSync } from 'node:fs';
import { open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** An open file; a rotation meanwhile changes its name, and not what it is. */
export interface Generation {
  readonly file: FileHandle;
  readonly inode: number;
}

/** Makes room for a new file. The oldest goes; with one file the old one stays until `dropOld`. */
export const rotate = (path: string, maxFiles: number): void => {
  for (let index = Math.max(maxFiles - 1, 1); index > 1; index--) {
    renameIfThere(`${path}.${index - 1}`, `${path}.${index}`);
  }
  renameIfThere(path, `${path}.1`);
};

export const dropOld = (path: string): void => rmSync(`${path}.1`, { force: true });

const renameIfThere = (from: string, to: string): void => {
  try {
    renameSync(from, to);
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'ENOENT') throw error;
  }
};

/**
 * All of them, the oldest first. Opened from the newest on: what is rotated between two opens is seen twice, and left
 * out once; nothing is missed. The caller closes them.
 */
export const openGenerations = async (path: string): Promise<Generation[]> => {
  const prefix = `${basename(path)}.`;
  const numbers = (await readdir(dirname(path)).catch(() => []))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((left, right) => left - right);
  const generations: Generation[] = [];
  // One more than were counted: a rotation may have moved the last one on.
  const last = (numbers.at(-1) ?? 0) + 1;
  const names = [path, ...numbers, last].map((name) =>
    typeof name === 'string' ? name : join(dirname(path), `${prefix}${name}`),
  );
  for (const name of names) {
    const file = await open(name, 'r').catch(() => null);
    const ino = (await file?.stat().catch(() => null))?.ino;
    if (!file) continue;
    if (ino === undefined || generations.some(({ inode }) => inode === ino)) await file.close();
    else generations.unshift({ file, inode: ino });
  }
  return generations;
};

/** What is written after `inode`; undefined while that is the newest. The caller closes it. */
export const successorOf = async (path: string, inode: number): Promise<Generation | undefined> => {
  const newest = await stat(path).catch(() => null);
  if (!newest || newest.ino === inode) return undefined;
  const generations = await openGenerations(path);
  const at = generations.findIndex((generation) => generation.inode === inode);
  // Gone already: then what is the oldest now came after it.
  const successor = generations[at + 1];
  for (const generation of generations) {
    if (generation !== successor) await generation.file.close();
  }
  return successor;
};
