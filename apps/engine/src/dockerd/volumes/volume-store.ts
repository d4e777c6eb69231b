/**
 * The `local` volume driver: a volume is a folder, `<data root>/volumes/<name>/_data`, and a note beside it.
 * Who uses a volume is not written down: containers say it, and a new dockerd asks them.
 * Upstream: moby daemon/volume/{local,service}.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { EngineError } from '../../protocol/errdefs.ts';

export const LOCAL_DRIVER = 'local';
/** Docker marks what nobody named with this label. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const NOTE = 'volume.json';
const DATA = '_data';
const REMOVED = '.removed-';

const Note = z.object({ createdAt: z.string(), labels: z.record(z.string(), z.string()) });

export interface Volume {
  readonly name: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Where its files are on this machine. */
  readonly mountpoint: string;
}

export const checkVolumeName = (name: string): void => {
  if (NAME.test(name)) return;
  throw new EngineError(
    'invalid_argument',
    name.length === 1
      ? `create ${name}: volume name is too short, names should be at least two alphanumeric characters`
      : `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
};

export class VolumeStore {
  readonly #root: string;
  readonly #volumes = new Map<string, Volume>();
  readonly #users = new Map<string, Set<string>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(root: string) {
    this.#root = root;
  }

  /** Reads what an earlier dockerd left; finishes its removals. */
  async load(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o701 });
    for (const name of await readdir(this.#root)) {
      const directory = join(this.#root, name);
      const note = await readFile(join(directory, NOTE), 'utf8').catch(() => null);
      if (name.startsWith(REMOVED) || (note === null && !existsSync(join(directory, DATA)))) {
        await rm(directory, { recursive: true, force: true });
      } else if (NAME.test(name) && note !== null) {
        this.#volumes.set(name, this.#volume(name, Note.parse(JSON.parse(note))));
        // Between the note and the folder there may have been a crash.
        await mkdir(join(directory, DATA), { recursive: true, mode: 0o755 });
      }
    }
  }

  list(): Volume[] {
    return [...this.#volumes.values()];
  }

  find(name: string): Volume {
    const volume = this.#volumes.get(name);
    if (!volume) throw new EngineError('not_found', `get ${name}: no such volume`);
    return volume;
  }

  /** An existing volume of that name is the answer too. An empty name makes an anonymous one. */
  create(
    asked: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
    userId?: string,
  ): Promise<{ readonly volume: Volume; readonly isNew: boolean }> {
    const name = asked.name || randomBytes(32).toString('hex');
    const labels = asked.name ? asked.labels : { ...asked.labels, [ANONYMOUS_LABEL]: '' };
    return this.#exclusively(async () => {
      checkVolumeName(name);
      const found = this.#volumes.get(name);
      const volume = found ?? (await this.#make(name, labels));
      if (userId !== undefined) this.hold(name, userId);
      return { volume, isNew: !found };
    });
  }

  remove(name: string): Promise<void> {
    return this.#exclusively(async () => {
      this.find(name);
      const users = this.usersOf(name);
      if (users.length > 0) {
        throw new EngineError(
          'conflict',
          `remove ${name}: volume is in use - [${users.join(', ')}]`,
        );
      }
      // One rename(2), so that a volume is there as a whole or not at all.
      const grave = join(this.#root, `${REMOVED}${randomBytes(8).toString('hex')}`);
      await rename(join(this.#root, name), grave);
      this.#volumes.delete(name);
      await rm(grave, { recursive: true, force: true });
    });
  }

  /** From now on the container uses the volume. */
  hold(name: string, containerId: string): void {
    const users = this.#users.get(name) ?? new Set();
    this.#users.set(name, users.add(containerId));
  }
  release(name: string, containerId: string): void {
    this.#users.get(name)?.delete(containerId);
  }
  usersOf(name: string): readonly string[] {
    return [...(this.#users.get(name) ?? [])];
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #volume(name: string, { createdAt, labels }: z.output<typeof Note>): Volume {
    return { name, createdAt, labels, mountpoint: join(this.#root, name, DATA) };
  }

  async #make(name: string, labels: Readonly<Record<string, string>>): Promise<Volume> {
    const directory = join(this.#root, name);
    const note = { createdAt: new Date().toISOString(), labels };
    await mkdir(directory, { recursive: true, mode: 0o701 });
    await writeFile(join(directory, `${NOTE}.tmp`), JSON.stringify(note), { mode: 0o600 });
    await rename(join(directory, `${NOTE}.tmp`), join(directory, NOTE));
    await mkdir(join(directory, DATA), { recursive: true, mode: 0o755 });
    const volume = this.#volume(name, note);
    this.#volumes.set(name, volume);
    return volume;
  }
}
