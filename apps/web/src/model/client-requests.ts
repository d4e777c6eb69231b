/** The HTTP of one run as its client sent it: request, `User-Agent`, answer. */
import type { Message, TraceEvent } from '@engine-room/engine/protocol/trace/event.ts';

export interface ClientRequest {
  readonly id: string;
  /** `GET /v1.41/containers/json` */
  readonly request: string;
  readonly userAgent: string | null;
  /** `200 OK`; null while there is none. */
  readonly answer: string | null;
}

/** As docker itself shortens them. */
const ID = /\b[0-9a-f]{64}\b/;

export const requestsOf = (events: readonly TraceEvent[]): readonly ClientRequest[] => {
  const http = events.filter(
    (event): event is Message => event.type === 'message' && event.protocol === 'http',
  );
  return http
    .filter(({ direction, from }) => direction === 'request' && from.actor === 'docker')
    .map(({ id, spanId, summary, raw }) => ({
      id,
      request: summary.replace(ID, (id) => `${id.slice(0, 12)}…`),
      userAgent: raw ? userAgentIn(atob(raw.base64)) : null,
      answer:
        http.find((event) => event.direction === 'response' && event.spanId === spanId)?.summary ??
        null,
    }));
};

const userAgentIn = (head: string): string | null =>
  /^user-agent: *(.*?)\r?$/im.exec(head.split('\r\n\r\n', 1)[0] ?? '')?.[1] ?? null;
