/** Content: blobs in and out. Upstream: containerd plugins/services/content/contentserver. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  WriteAction,
  type Content,
  type WriteContentRequest,
} from '../../protocol/gen/containerd/content_pb.ts';
import {
  ContentCreateSchema,
  ContentDeleteSchema,
} from '../../protocol/gen/containerd/store-events_pb.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { ContentStore } from '../content/content-store.ts';
import { parseDigest, type Digest } from '../content/digest.ts';
import type { IngestStatus, IngestWriter } from '../content/ingest.ts';
import { alreadyExists, invalidArgument } from '../errors.ts';
import type { EventExchange } from '../events/exchange.ts';
import { requireNamespace } from '../identifier.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface ContentDependencies {
  readonly content: ContentStore;
  readonly events: EventExchange;
}

const BLOCK = 100;

export const contentService = ({
  content,
  events,
}: ContentDependencies): HandlersOf<typeof Content> => ({
  info: async ({ digest }, call) => ({
    info: content.info(requireNamespace(call), parseDigest(digest)),
  }),

  update: async ({ info, updateMask }, call) => {
    const digest = parseDigest(info?.digest ?? '');
    return {
      info: content.update(
        requireNamespace(call),
        digest,
        info?.labels ?? {},
        updateMask?.paths ?? [],
      ),
    };
  },

  async *list({ filters }, call) {
    const infos = content.list(requireNamespace(call), filters);
    for (let start = 0; start < infos.length; start += BLOCK)
      yield { info: infos.slice(start, start + BLOCK) };
  },

  delete: async ({ digest }, call) => {
    const namespace = requireNamespace(call);
    await content.delete(namespace, parseDigest(digest));
    events.publish(namespace, '/content/delete', ContentDeleteSchema, { digest });
    return {};
  },

  async *read({ digest, offset, size }, call) {
    const namespace = requireNamespace(call);
    const blob = parseDigest(digest);
    const total = Number(content.info(namespace, blob).size);
    const start = Math.max(0, Number(offset));
    if (start > total) throw invalidArgument(`read past object length ${total} bytes`);
    const wanted = Number(size) <= 0 ? total - start : Math.min(Number(size), total - start);
    let at = start;
    for await (const data of content.read(namespace, blob, start, wanted)) {
      yield { offset: BigInt(at), data };
      at += data.length;
    }
  },

  status: async ({ ref }, call) => ({
    status: toStatus(await content.status(requireNamespace(call), ref)),
  }),

  listStatuses: async (_, call) => ({
    statuses: (await content.statuses(requireNamespace(call))).map(toStatus),
  }),

  abort: async ({ ref }, call) => {
    await content.abort(requireNamespace(call), ref);
    return {};
  },

  async *write(requests, call) {
    const namespace = requireNamespace(call);
    let session: WriteSession | undefined;
    try {
      for await (const request of requests) {
        session ??= await WriteSession.open(content, namespace, request);
        const response = await session.step(request);
        if (session.committed) {
          events.publish(namespace, '/content/create', ContentCreateSchema, {
            digest: session.committed,
            size: response.offset,
          });
        }
        yield response;
        if (session.committed) return;
      }
    } finally {
      // What was written stays, and can be resumed under the same ref.
      await session?.close();
    }
  },
});

/** One call of Write: a first message with a ref, then any number of writes, then perhaps a commit. */
class WriteSession {
  committed: Digest | undefined;
  readonly #content: ContentStore;
  readonly #namespace: string;
  readonly #writer: IngestWriter;
  readonly #ref: string;
  #total: number;
  #expected: Digest | undefined;

  private constructor(
    content: ContentStore,
    namespace: string,
    writer: IngestWriter,
    first: WriteContentRequest,
  ) {
    this.#content = content;
    this.#namespace = namespace;
    this.#writer = writer;
    this.#ref = first.ref;
    this.#total = Number(first.total);
    this.#expected = first.expected === '' ? undefined : parseDigest(first.expected);
  }

  static async open(
    content: ContentStore,
    namespace: string,
    first: WriteContentRequest,
  ): Promise<WriteSession> {
    if (first.ref === '') throw invalidArgument('first message must have a reference');
    const expected = first.expected === '' ? undefined : parseDigest(first.expected);
    const writer = await content.writer(namespace, {
      ref: first.ref,
      totalBytes: Number(first.total),
      expected,
    });
    return new WriteSession(content, namespace, writer, first);
  }

  async step(request: WriteContentRequest) {
    if (request.expected !== '') this.#expected = parseDigest(request.expected);
    if (request.total > 0n) this.#total = Number(request.total);
    if (this.#expected && this.#content.has(this.#namespace, this.#expected)) {
      await this.#writer.close();
      await this.#content.abort(this.#namespace, this.#ref);
      throw alreadyExists(`blob with expected digest ${this.#expected}`);
    }
    if (request.action !== WriteAction.STAT) await this.#write(request);
    const { offset, startedAtMs, updatedAtMs } = this.#writer.status();
    const digest = this.#writer.digest();
    if (request.action === WriteAction.COMMIT) {
      this.committed = await this.#content.commit(this.#namespace, this.#writer, {
        sizeBytes: this.#total,
        expected: this.#expected,
        labels: request.labels,
      });
    }
    return {
      action: request.action,
      offset: BigInt(offset),
      total: BigInt(this.#total),
      digest,
      startedAt: timestampFromMs(startedAtMs),
      updatedAt: timestampFromMs(updatedAtMs),
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

const toStatus = ({ ref, offset, totalBytes, startedAtMs, updatedAtMs }: IngestStatus) => ({
  ref,
  offset: BigInt(offset),
  total: BigInt(totalBytes),
  startedAt: timestampFromMs(startedAtMs),
  updatedAt: timestampFromMs(updatedAtMs),
});
