/**
 * One call of Content/Write: a first message with a ref, then any number of writes, then perhaps a commit.
 * Upstream: containerd plugins/services/content/contentserver.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import { WriteAction, type WriteContentRequest } from '../../protocol/gen/containerd/content_pb.ts';
import type { CallContext } from '../../transport/service.ts';
import { timestampOf } from '../clock.ts';
import type { ContentStore } from '../content/content-store.ts';
import { parseDigest, type Digest } from '../content/digest.ts';
import type { IngestWriter } from '../content/ingest.ts';
import { alreadyExists, invalidArgument } from '../errors.ts';
import type { LeaseStore } from '../metadata/lease-store.ts';
import { requireNamespace } from '../identifier.ts';

interface Stores {
  readonly content: ContentStore;
  readonly leases: LeaseStore;
}

export class WriteSession {
  committed: Digest | undefined;
  readonly #content: ContentStore;
  readonly #leases: LeaseStore;
  readonly #call: CallContext;
  readonly #namespace: string;
  readonly #writer: IngestWriter;
  readonly #ref: string;
  #total: number;
  #expected: Digest | undefined;

  private constructor(
    { content, leases }: Stores,
    call: CallContext,
    writer: IngestWriter,
    first: WriteContentRequest,
  ) {
    this.#content = content;
    this.#leases = leases;
    this.#call = call;
    this.#namespace = requireNamespace(call);
    this.#writer = writer;
    this.#ref = first.ref;
    this.#total = Number(first.total);
    this.#expected = first.expected === '' ? undefined : parseDigest(first.expected);
  }

  static async open(
    stores: Stores,
    call: CallContext,
    first: WriteContentRequest,
  ): Promise<WriteSession> {
    const namespace = requireNamespace(call);
    if (first.ref === '') throw invalidArgument('first message must have a reference');
    const expected = first.expected === '' ? undefined : parseDigest(first.expected);
    stores.leases.hold(namespace, call, ingestOf(first.ref));
    // What is there already is the caller's too: its lease must hold it.
    if (expected) stores.leases.hold(namespace, call, contentOf(expected));
    const writer = await stores.content.writer(namespace, {
      ref: first.ref,
      totalBytes: Number(first.total),
      expected,
    });
    return new WriteSession(stores, call, writer, first);
  }

  async step(request: WriteContentRequest) {
    if (request.expected !== '') this.#expected = parseDigest(request.expected);
    if (request.total > 0n) this.#total = Number(request.total);
    if (this.#expected && this.#content.has(this.#namespace, this.#expected)) {
      // While the ref is still ours: the next writer makes the folder anew.
      await this.#content.abort(this.#namespace, this.#ref).catch(() => undefined);
      await this.#writer.close();
      throw alreadyExists(`blob with expected digest ${this.#expected}`);
    }
    if (request.action !== WriteAction.STAT) await this.#write(request);
    const { offset, startedAtMs, updatedAtMs } = this.#writer.status();
    const digest = this.#writer.digest();
    if (request.action === WriteAction.COMMIT) {
      this.#leases.hold(this.#namespace, this.#call, contentOf(this.#writer.digest()));
      this.committed = await this.#content.commit(this.#namespace, this.#writer, {
        sizeBytes: this.#total,
        expected: this.#expected,
        labels: request.labels,
      });
      this.#leases.release(this.#namespace, this.#call, ingestOf(this.#ref));
    }
    return {
      action: request.action,
      offset: BigInt(offset),
      total: BigInt(this.#total),
      digest,
      startedAt: timestampOf(startedAtMs),
      updatedAt: timestampOf(updatedAtMs),
    };
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }

  /** Bytes go on where the last ones ended; an offset of 0 starts again. */
  async #write({ offset, data }: WriteContentRequest): Promise<void> {
    const at = BigInt(this.#writer.status().offset);
    if (offset > 0n && offset !== at) {
      throw new EngineError(
        'invalid_argument',
        `write @${offset} must occur at current offset ${at}`,
      );
    }
    if (offset === 0n && at > 0n && data.length > 0) await this.#writer.truncate();
    if (data.length > 0) await this.#writer.write(data);
  }
}

const ingestOf = (ref: string) => ({ type: 'ingests', id: ref });
const contentOf = (digest: Digest) => ({ type: 'content', id: digest });
