/** Rooms over HTTP: opened with the lab's token; what followers fetch needs the room's code and nothing else. */
import { json, raw, Router, type Response } from 'express';
import * as z from 'zod';
import { messageOf } from '../../protocol/errdefs.ts';
import { decodeTraceFile } from '../collector/trace-file.ts';
import { readEvent } from '../collector/read-event.ts';
import type { RoomService } from '../rooms/room-service.ts';
import type { Learner } from './guard.ts';

const openBody = z.object({ presenter: z.string().max(60) });
/** A recording of a run is some hundred KiB. */
const RECORDING_LIMIT = '16mb';
const EVENT_LIMIT = 100_000;

const learnerOf = (response: Response): Learner => response.locals['learner'] as Learner;

/** For who has the lab's token. */
export const presenterRoutes = (rooms: RoomService): Router => {
  const router = Router();

  router.post('/rooms', json({ limit: '4kb' }), (request, response) => {
    const body = openBody.safeParse(request.body);
    if (!body.success) {
      response.status(400).json({ message: 'the body must be {"presenter": "…"}' });
      return;
    }
    const answer = rooms.open(body.data.presenter, learnerOf(response));
    response.status('message' in answer ? 409 : 201).json(answer);
  });

  router.get('/rooms', (_request, response) => {
    response.json({ rooms: rooms.list(learnerOf(response)), ...rooms.reach() });
  });

  router.put(
    '/rooms/:code/traces/:traceId',
    raw({ limit: RECORDING_LIMIT, type: 'application/gzip' }),
    async (request, response) => {
      const { code, traceId } = request.params as { code: string; traceId: string };
      const trace = await recordingIn(request.body, traceId).catch((error: unknown) => ({
        message: messageOf(error),
      }));
      if ('message' in trace) {
        response.status(400).json(trace);
        return;
      }
      const isTaken = rooms.bringTrace(code, request.get('X-Driver'), trace);
      response
        .status(isTaken ? 202 : 403)
        .json(isTaken ? {} : { message: 'the wheel is not yours' });
    },
  );

  return router;
};

const recordingIn = async (body: unknown, traceId: string) => {
  if (!Buffer.isBuffer(body)) throw new Error('the body must be a recorded run (application/gzip)');
  const { header, lines } = await decodeTraceFile(body);
  if (header.summary.traceId !== traceId) throw new Error('this file is another run');
  const events = lines.slice(0, EVENT_LIMIT).flatMap((line) => {
    const read = readEvent(line);
    return 'problem' in read || read.event.traceId !== traceId ? [] : [read.event];
  });
  return {
    summary: header.summary,
    lines: events.map((event, index) => JSON.stringify({ ...event, seq: index + 1 })),
  };
};

/** For everybody who has the code. */
export const followerRoutes = (rooms: RoomService): Router => {
  const router = Router();

  router.get('/rooms/:code/traces/:traceId', async (request, response) => {
    const { code, traceId } = request.params;
    const room = await rooms.find(code, request.socket.remoteAddress ?? '');
    const file = room === null || room === 'busy' ? null : await room.traces.file(traceId);
    if (!file) {
      response.status(404).json({ message: 'this room shows no such run' });
      return;
    }
    response.set('Cache-Control', 'no-store').type('application/gzip').send(file);
  });

  router.get('/rooms/:code', async (request, response) => {
    const room = await rooms.find(request.params.code, request.socket.remoteAddress ?? '');
    response.set('Cache-Control', 'no-store');
    if (room === 'busy') response.status(429).json({ message: 'too many rooms are asked for' });
    else if (room === null)
      response
        .status(404)
        .json({ message: 'there is no such room (any more): look at the two words again' });
    else response.json({ code: room.code });
  });

  return router;
};
