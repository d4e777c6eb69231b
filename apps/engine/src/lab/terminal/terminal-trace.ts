/** A terminal's trace: the lab itself is the client, and says when it opened one and when that was over. */
import { spanEndedId, spanStartedId } from '../../protocol/trace/event-id.ts';
import type { SpanContext } from '../../tracing/context.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import { labEmitter } from '../lab-emitter.ts';
import type { TerminalWish } from '../policy/terminal.ts';

export const tellTerminal = (
  store: Pick<TraceStore, 'announce' | 'accept'>,
  { traceId, spanId }: SpanContext,
  {
    title,
    wish,
    learner,
  }: { readonly title: string; readonly wish: TerminalWish; readonly learner: string },
): { readonly end: (code: number | null, problem: string | null) => void } => {
  store.announce(traceId, { title, argv: null, clientPid: null, learner });
  const base = () => ({
    traceId,
    spanId,
    mono: process.hrtime.bigint().toString(),
    emitter: labEmitter(),
  });
  store.accept({
    ...base(),
    type: 'spanStarted',
    id: spanStartedId(spanId),
    cause: null,
    level: 'chapter',
    source: __SOURCE__,
    parentSpanId: null,
    name: 'terminal',
    kind: 'client',
    attributes: { 'process.command_args': wish.command },
  });
  return {
    end: (code, problem) =>
      store.accept({
        ...base(),
        type: 'spanEnded',
        id: spanEndedId(spanId),
        cause: spanStartedId(spanId),
        level: 'chapter',
        status: problem === null ? { code: 'ok' } : { code: 'error', message: problem },
        attributes: code === null ? {} : { 'process.exit.code': code },
      }),
  };
};
