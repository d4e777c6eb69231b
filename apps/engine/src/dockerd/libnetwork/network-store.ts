/**
 * All networks, on disk (`<data root>/network/<id>.json`, each replaced by rename(2)) and in memory.
 * Upstream: moby daemon/libnetwork/store.go.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { NetworkNote, type Network } from './network.ts';

const FILE = /^([0-9a-f]{64})\.json$/;

export const newNetwork = (
  fields: Pick<Network, 'name' | 'driver'> & Partial<Network>,
): Network => ({
  id: randomBytes(32).toString('hex'),
  created: new Date().toISOString(),
  bridge: '',
  subnet: '',
  gateway: '',
  subnet6: '',
  gateway6: '',
  isSubnet6Chosen: false,
  ipRange: '',
  ipRange6: '',
  idlePool6: null,
  isSubnetChosen: false,
  auxiliary: {},
  isInternal: false,
  isAttachable: false,
  labels: {},
  options: {},
  ...fields,
});

export class NetworkStore {
  readonly #root: string;
  readonly #networks = new Map<string, Network>();

  constructor(root: string) {
    this.#root = root;
  }

  async load(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    for (const file of await readdir(this.#root)) {
      if (!FILE.test(file)) continue;
      try {
        const note: unknown = JSON.parse(await readFile(join(this.#root, file), 'utf8'));
        const network = NetworkNote.parse(note);
        this.#networks.set(network.id, network);
      } catch (error) {
        process.stderr.write(`dockerd: network ${file}: ${messageOf(error)}\n`);
      }
    }
  }

  /** Oldest first. */
  list(): Network[] {
    return [...this.#networks.values()].sort((left, right) =>
      left.created < right.created ? -1 : 1,
    );
  }

  byName(name: string): Network | undefined {
    return this.list().find((network) => network.name === name);
  }

  /** By id, by name, or by an unambiguous beginning of the id. */
  find(reference: string): Network {
    const exact = this.#networks.get(reference) ?? this.byName(reference);
    if (exact) return exact;
    const matches =
      reference === '' ? [] : this.list().filter(({ id }) => id.startsWith(reference));
    if (matches.length > 1) {
      throw new EngineError(
        'invalid_argument',
        `network ${reference} is ambiguous (${matches.length} matches found based on ID prefix)`,
      );
    }
    const [found] = matches;
    if (!found) throw new EngineError('not_found', `network ${reference} not found`);
    return found;
  }

  async add(network: Network): Promise<void> {
    // The name is taken at once, so that of two creations the second is told.
    this.#networks.set(network.id, network);
    const path = this.#pathOf(network.id);
    try {
      await writeFile(`${path}.tmp`, JSON.stringify(network), { mode: 0o600 });
      await rename(`${path}.tmp`, path);
    } catch (error) {
      this.#networks.delete(network.id);
      await rm(`${path}.tmp`, { force: true });
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.#pathOf(id), { force: true });
    this.#networks.delete(id);
  }

  #pathOf(id: string): string {
    return join(this.#root, `${id}.json`);
  }
}
