/** Content: blobs in and out. Upstream: containerd plugins/services/content/contentserver. */
import type { Content } from '../../protocol/gen/containerd/content_pb.ts';
import {
  ContentCreateSchema,
  ContentDeleteSchema,
} from '../../protocol/gen/containerd/store-events_pb.ts';
import { timestampOf } from '../clock.ts';
import type { ContentStore } from '../content/content-store.ts';
import { parseDigest } from '../content/digest.ts';
import type { IngestStatus } from '../content/ingest.ts';
import { invalidArgument } from '../errors.ts';
import type { EventExchange } from '../events/exchange.ts';
import type { GarbageCollector } from '../gc/collector.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { requireNamespace } from '../identifier.ts';
import type { LeaseStore } from '../metadata/lease-store.ts';
import type { HandlersOf } from './handlers-of.ts';
import { Arrival } from './arrival.ts';
import { WriteSession } from './write-session.ts';

export interface ContentDependencies {
  readonly content: ContentStore;
  readonly leases: LeaseStore;
  readonly garbage: GarbageCollector;
  readonly events: EventExchange;
  readonly tracer: Tracer;
}

const BLOCK = 100;

export const contentService = ({
  content,
  events,
  leases,
  garbage,
  tracer,
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
    garbage.touch();
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
    const arrival = new Arrival(tracer);
    try {
      for await (const request of requests) {
        session ??= await WriteSession.open({ content, leases }, call, request);
        const response = await session.step(request);
        arrival.at(Number(response.offset), Number(response.total), request.expected);
        if (session.committed) {
          arrival.verified(session.committed, Number(response.offset));
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

const toStatus = ({ ref, offset, totalBytes, startedAtMs, updatedAtMs }: IngestStatus) => ({
  ref,
  offset: BigInt(offset),
  total: BigInt(totalBytes),
  startedAt: timestampOf(startedAtMs),
  updatedAt: timestampOf(updatedAtMs),
});
