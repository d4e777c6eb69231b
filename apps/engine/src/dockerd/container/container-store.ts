/**
 * All containers, on disk (`<data root>/containers/<id>/config.v2.json` and `hostconfig.json`) and by name in memory.
 * Each file is replaced by rename(2), so dockerd may be killed at any moment and finds the old or the new one.
 * Upstream: moby daemon/container/{container,view}.go.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { Container, type ContainerRecord } from './container.ts';

const CONFIG = 'config.v2.json';
const HOST_CONFIG = 'hostconfig.json';
const ID = /^[0-9a-f]{64}$/;
const RETRY_MS = 500;
/** What is left when dockerd dies meanwhile: the next one takes it away. */
const REMOVED = '.removed';

/**
 * Without the event loop: handed to other threads one by one, the four calls take half as long again, and somebody waits
 * for each of these files.
 */
const replaceFile = (path: string, content: unknown): void => {
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, JSON.stringify(content), { mode: 0o600 });
  renameSync(temporary, path);
};

export class ContainerStore {
  readonly root: string;
  readonly #byId = new Map<string, Container>();
  readonly #idOfName = new Map<string, string>();
  readonly #emptying = new Set<Promise<void>>();

  constructor(root: string) {
    this.root = root;
  }

  /** Reads what an earlier dockerd left. A half-made container is removed. */
  async load(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: 0o710 });
    for (const id of await readdir(this.root)) {
      const directory = join(this.root, id);
      if (id.endsWith(REMOVED)) await rm(directory, { recursive: true, force: true });
      if (!ID.test(id)) continue;
      try {
        const record = JSON.parse(
          await readFile(join(directory, CONFIG), 'utf8'),
        ) as ContainerRecord;
        const host = HostConfig.parse(
          JSON.parse(await readFile(join(directory, HOST_CONFIG), 'utf8')),
        );
        this.#remember(new Container(directory, record, host));
      } catch (error) {
        process.stderr.write(`dockerd: container ${id} was never complete: ${messageOf(error)}\n`);
        await rm(directory, { recursive: true, force: true });
      }
    }
  }

  /** Reserves the name at once, so that of two creations with one name the second is told. */
  reserveName(name: string, id: string): void {
    const holder = this.#idOfName.get(name);
    if (holder !== undefined) {
      throw new EngineError(
        'conflict',
        `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    this.#idOfName.set(name, id);
  }
  releaseName(name: string): void {
    this.#idOfName.delete(name);
  }
  hasName(name: string): boolean {
    return this.#idOfName.has(name);
  }

  directoryOf(id: string): string {
    return join(this.root, id);
  }

  /** Precondition: the name is reserved. */
  async add(record: ContainerRecord, hostConfig: HostConfig): Promise<Container> {
    const directory = this.directoryOf(record.id);
    mkdirSync(directory, { recursive: true, mode: 0o710 });
    const container = new Container(directory, record, hostConfig);
    try {
      replaceFile(join(directory, HOST_CONFIG), hostConfig);
      await this.save(container);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    this.#remember(container);
    return container;
  }

  async save(container: Container): Promise<void> {
    replaceFile(join(container.directory, CONFIG), container.record);
  }

  /** For what has happened and cannot be refused: on a full disk it is tried again until there is room. */
  async note(container: Container, change: Partial<ContainerRecord>): Promise<void> {
    container.record = { ...container.record, ...change };
    try {
      await this.save(container);
    } catch (error) {
      process.stderr.write(
        `dockerd: container ${container.id}: ${messageOf(error)}; trying again\n`,
      );
      setTimeout(() => {
        if (this.#byId.get(container.id) !== container) return;
        void container.exclusively(() => this.note(container, {}));
      }, RETRY_MS).unref();
    }
  }

  async update(container: Container, change: Partial<ContainerRecord>): Promise<void> {
    container.record = { ...container.record, ...change };
    await this.save(container);
  }

  async saveHost(container: Container, host: HostConfig): Promise<void> {
    replaceFile(join(container.directory, HOST_CONFIG), host);
    container.hostConfig = host;
  }

  /** Gone in one step. The files follow: a log may be huge, and the kernel takes its time for it. */
  remove(container: Container): void {
    const { directory } = container;
    const removed = `${directory}${REMOVED}`;
    // Somebody may have taken it away by hand.
    if (existsSync(directory)) renameSync(directory, removed);
    this.#byId.delete(container.id);
    this.#idOfName.delete(container.name);
    const emptied = rm(removed, { recursive: true, force: true }).catch((error: unknown) => {
      process.stderr.write(`dockerd: ${removed}: ${messageOf(error)}\n`);
    });
    this.#emptying.add(emptied);
    void emptied.then(() => this.#emptying.delete(emptied));
  }

  /** Resolves when nothing of the removed containers is left. */
  async settled(): Promise<void> {
    await Promise.all(this.#emptying);
  }

  /** Newest first. */
  list(): Container[] {
    return [...this.#byId.values()].sort((left, right) =>
      left.record.created < right.record.created ? 1 : -1,
    );
  }

  byId(id: string): Container | undefined {
    return this.#byId.get(id);
  }

  /** By whole id, by name, or by an unambiguous beginning of the id. */
  find(reference: string): Container {
    const name = reference.replace(/^\//, '');
    const exact =
      this.#byId.get(reference) ??
      this.#byId.get(this.#idOfName.get(name) ?? '') ??
      this.#linked(name);
    if (exact) return exact;
    const matches = /^[0-9a-f]+$/.test(reference)
      ? [...this.#byId.keys()].filter((id) => id.startsWith(reference))
      : [];
    if (matches.length > 1) {
      throw new EngineError(
        'invalid_argument',
        `multiple IDs found with provided prefix: ${reference}`,
      );
    }
    const found = this.#byId.get(matches[0] ?? '');
    if (!found) throw new EngineError('not_found', `No such container: ${reference}`);
    return found;
  }

  /** `parent/alias`: whom the link leads to. */
  #linked(name: string): Container | undefined {
    const [parent = '', alias, ...more] = name.split('/');
    if (alias === undefined || more.length > 0) return undefined;
    const { links = [] } = this.#byId.get(this.#idOfName.get(parent) ?? '')?.record ?? {};
    return this.#byId.get(links.find((link) => link.alias === alias)?.childId ?? '');
  }

  #remember(container: Container): void {
    this.#byId.set(container.id, container);
    this.#idOfName.set(container.name, container.id);
  }
}
