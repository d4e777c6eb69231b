/** The API of the gates, for the page: see them, set them in a run that goes on, and say "continue". */
import { json, Router } from 'express';
import * as z from 'zod';
import { GATES_A_TRACE } from '../../protocol/trace/gate.ts';
import { gateList, gatesRefusal, type GateService } from '../gates/gate-service.ts';
import type { Learner } from './guard.ts';

/** More than are allowed, so that it is the service that says so. */
export const gatesInBody = z.array(z.string().max(64)).max(GATES_A_TRACE * 4);

const setBody = z.object({ gates: gatesInBody });
const continueBody = z.object({ gate: z.string().max(64).exactOptional() });

export const gateRoutes = (gates: GateService): Router => {
  const router = Router();
  const learnerOf = (locals: Record<string, unknown>): Learner => locals['learner'] as Learner;
  const noRun = { message: 'no such run is going on' };

  router.get('/gates', (_request, response) => {
    response.json(gateList());
  });

  router.get('/runs/:traceId/gates', (request, response) => {
    const answer = gates.gates(request.params.traceId, learnerOf(response.locals));
    response.status(answer ? 200 : 404).json(answer ?? noRun);
  });

  router.put('/runs/:traceId/gates', json({ limit: '4kb' }), (request, response) => {
    const body = setBody.safeParse(request.body);
    const refusal = body.success
      ? gatesRefusal(body.data.gates)
      : 'the body must be {"gates": ["…"]}';
    if (!body.success || refusal !== null) {
      response.status(400).json({ message: refusal });
      return;
    }
    const { traceId } = request.params;
    const answer = gates.set(traceId, body.data.gates, learnerOf(response.locals));
    response.status(answer ? 200 : 404).json(answer ?? noRun);
  });

  router.post('/runs/:traceId/continue', json({ limit: '4kb' }), (request, response) => {
    const body = continueBody.safeParse(request.body ?? {});
    if (!body.success) {
      response.status(400).json({ message: 'the body must be {} or {"gate": "…"}' });
      return;
    }
    const { traceId } = request.params;
    const released = gates.continue(traceId, body.data.gate, learnerOf(response.locals));
    response.status(released === null ? 404 : 202).json(released === null ? noRun : { released });
  });

  return router;
};
