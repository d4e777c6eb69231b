/**
 * Events: publish, forward, subscribe. The same Forward is served over ttrpc for the shims (TTRPC_ADDRESS).
 * Upstream: containerd plugins/services/events.
 */
import { create } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { EnvelopeSchema, type Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import type { Events } from '../../protocol/gen/containerd/events_pb.ts';
import type { Events as TtrpcEvents } from '../../protocol/gen/task/events-ttrpc_pb.ts';
import { invalidArgument } from '../errors.ts';
import type { EventTeller } from '../events/teller.ts';
import type { EventExchange } from '../events/exchange.ts';
import { requireNamespace } from '../identifier.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface EventsDependencies {
  readonly events: EventExchange;
  /** What to do with an envelope from outside; the runtime sees exits first. */
  readonly forward: (envelope: Envelope) => void;
  readonly teller: EventTeller;
}

export const eventsService = ({
  events,
  forward,
  teller,
}: EventsDependencies): HandlersOf<typeof Events> => ({
  publish: async ({ topic, event }, call) => {
    const namespace = requireNamespace(call);
    forward(
      create(EnvelopeSchema, {
        timestamp: timestampNow(),
        namespace,
        topic,
        ...(event ? { event } : {}),
      }),
    );
    return {};
  },

  forward: async ({ envelope }) => {
    forward(required(envelope));
    return {};
  },

  async *subscribe({ filters }, call) {
    for await (const delivery of events.subscribe(filters, call.signal)) {
      teller.delivered(delivery, call.metadata);
      yield delivery.envelope;
    }
  },
});

export const ttrpcEventsService = (
  forward: (envelope: Envelope) => void,
): HandlersOf<typeof TtrpcEvents> => ({
  forward: async ({ envelope }) => {
    forward(required(envelope));
    return {};
  },
});

const required = (envelope: Envelope | undefined): Envelope => {
  if (!envelope) throw invalidArgument('envelope must be set');
  return envelope;
};
