/** Namespaces keep clients apart: dockerd's records live in `moby`. Upstream: core/metadata/namespaces.go. */
import { create } from '@bufbuild/protobuf';
import { NamespaceSchema, type Namespace } from '../../protocol/gen/containerd/namespaces_pb.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { alreadyExists, notFound } from '../errors.ts';
import { validateIdentifier } from '../identifier.ts';
import { messageCodec, type MetadataDatabase, type Table } from './database.ts';
import { updateLabels, type Labels } from './update-mask.ts';

export class NamespaceStore {
  readonly #database: MetadataDatabase;
  readonly #table: Table<Namespace>;

  constructor(database: MetadataDatabase) {
    this.#database = database;
    this.#table = database.table('namespaces', messageCodec(NamespaceSchema));
  }

  get(name: string): Namespace {
    const found = this.#table.get([validateIdentifier(name)]);
    if (!found) throw notFound(`namespace "${name}"`);
    return found;
  }

  /** Upstream tells one that is not there from one without labels nowhere; dockerd asks before it has made its own. */
  find(name: string): Namespace {
    return this.#table.get([validateIdentifier(name)]) ?? create(NamespaceSchema, { name });
  }

  list(): Namespace[] {
    return this.#table.list().map(({ value }) => value);
  }

  create(name: string, labels: Labels): Namespace {
    validateIdentifier(name);
    return this.#database.transaction(() => {
      if (this.#table.has([name])) throw alreadyExists(`namespace "${name}"`);
      const namespace = create(NamespaceSchema, { name, labels });
      this.#table.put([name], namespace);
      return namespace;
    });
  }

  /** The first record of a namespace makes it. Precondition: inside a transaction. */
  ensure(name: string): void {
    if (!this.#table.has([name])) this.#table.put([name], create(NamespaceSchema, { name }));
  }

  /** A label makes the namespace that it is for, as upstream's does. */
  update(name: string, labels: Labels, paths: readonly string[]): Namespace {
    return this.#database.transaction(() => {
      const current = this.find(name);
      const mask = paths.length === 0 ? ['labels'] : paths;
      const updated = create(NamespaceSchema, {
        name,
        labels: updateLabels(current.labels, labels, mask),
      });
      this.#table.put([name], updated);
      return updated;
    });
  }

  /** `holds` names what still lives in the namespace; only an empty one can go. */
  delete(name: string, holds: () => readonly string[]): void {
    this.#database.transaction(() => {
      this.get(name);
      const left = holds();
      if (left.length > 0) {
        throw new EngineError(
          'failed_precondition',
          `namespace "${name}" must be empty, but it still has ${left.join(', ')}: failed precondition`,
        );
      }
      this.#table.remove([name]);
    });
  }
}
