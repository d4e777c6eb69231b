/** The lab's own small API, for the page. It is not Docker's: that one is on the engine's socket. */
import { json, Router } from 'express';
import * as z from 'zod';
import { CheckRequest, type CheckAnswer } from '../../protocol/lesson/predicate.ts';
import { FAULTS, type FaultAccepted, type FaultRequest } from '../../protocol/trace/fault.ts';
import type { EngineStatus } from '../../protocol/trace/stream.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import { gatesRefusal, type GateService } from '../gates/gate-service.ts';
import { gateRoutes, gatesInBody } from './gate-routes.ts';
import type { Learner } from './guard.ts';

export interface RunAccepted {
  readonly traceId: string;
  readonly pid: number;
  /** What really runs, limits included. */
  readonly argv: readonly string[];
  /** The words that were added to what the learner typed. */
  readonly injected: readonly string[];
}

export interface RunRefused {
  readonly status: 400 | 403 | 409 | 429 | 503;
  readonly message: string;
  /** Where in the command line, in UTF-16 units, when it is about a place in it. */
  readonly position?: number;
}

/** What the rest of the lab does for the page. */
export interface Backend {
  readonly store: TraceStore;
  readonly engine: () => EngineStatus;
  readonly run: (
    command: string,
    learner: Learner,
    gates: readonly string[],
    gone: AbortSignal,
  ) => Promise<RunAccepted | RunRefused>;
  readonly check: (request: CheckRequest, learner: Learner) => Promise<CheckAnswer>;
  /** False when there is no such run of this learner. */
  readonly stop: (traceId: string, learner: Learner) => Promise<boolean>;
  readonly gates: GateService;
  readonly fault: (request: FaultRequest, learner: Learner) => Promise<FaultAccepted | RunRefused>;
}

export const COMMAND_LIMIT = 4096;
const runBody = z.object({
  command: z.string().max(COMMAND_LIMIT),
  gates: gatesInBody.exactOptional(),
});
const faultBody = z.object({
  fault: z.enum(FAULTS),
  container: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
});
const TRACE_ID = /^[0-9a-f]{32}$/;

export const apiRoutes = ({ store, engine, run, check, stop, gates, fault }: Backend): Router => {
  const router = Router();
  router.use(gateRoutes(gates));
  const learnerOf = (locals: Record<string, unknown>): Learner => locals['learner'] as Learner;

  router.get('/engine', (_request, response) => {
    response.json(engine());
  });

  router.get('/traces', (_request, response) => {
    const { id } = learnerOf(response.locals);
    response.json(store.summaries().filter(({ traceId }) => store.maySee(traceId, id)));
  });

  router.get('/traces/:traceId', async (request, response) => {
    const { traceId } = request.params;
    const isTheirs = TRACE_ID.test(traceId) && store.maySee(traceId, learnerOf(response.locals).id);
    const file = isTheirs ? await store.file(traceId) : null;
    if (!file) {
      response.status(404).json({ message: `no such trace: ${traceId.slice(0, 64)}` });
      return;
    }
    response
      .type('application/gzip')
      .set('Content-Disposition', `attachment; filename="${traceId}.trace.gz"`)
      .send(file);
  });

  router.post('/run', json({ limit: '16kb' }), async (request, response) => {
    const body = runBody.safeParse(request.body);
    if (!body.success) {
      response.status(400).json({
        message: `the body must be {"command": "…"} of at most ${COMMAND_LIMIT} characters, and may have "gates"`,
      });
      return;
    }
    const { command, gates: wanted = [] } = body.data;
    const refusal = gatesRefusal(wanted);
    if (refusal !== null) {
      response.status(400).json({ message: refusal });
      return;
    }
    // It may have to wait, and whoever closes the page waits no longer.
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await run(command, learnerOf(response.locals), wanted, gone.signal);
    if ('status' in answer) {
      const { status, ...problem } = answer;
      response.status(status).json(problem);
      return;
    }
    response.status(202).json(answer);
  });

  router.post('/checks', json({ limit: '64kb' }), async (request, response) => {
    const body = CheckRequest.safeParse(request.body);
    if (!body.success) {
      response.status(400).json({ message: `not a check: ${z.prettifyError(body.error)}` });
      return;
    }
    response.json(await check(body.data, learnerOf(response.locals)));
  });

  router.post('/runs/:traceId/stop', async (request, response) => {
    const stopped = await stop(request.params.traceId, learnerOf(response.locals));
    if (stopped) response.status(202).json({});
    else response.status(404).json({ message: 'no such run is going on' });
  });

  router.post('/faults', json({ limit: '16kb' }), async (request, response) => {
    const body = faultBody.safeParse(request.body);
    if (!body.success) {
      response.status(400).json({
        message: `the body must be {"fault": …} with one of ${FAULTS.join(', ')}, and "container" with its 64 hex digits`,
      });
      return;
    }
    const answer = await fault(body.data, learnerOf(response.locals));
    if ('status' in answer) response.status(answer.status).json({ message: answer.message });
    else response.status(202).json(answer);
  });

  return router;
};
