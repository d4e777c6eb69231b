/** The words of followers and presenters, checked: `protocol/room/room.ts` is what they mean. */
import * as z from 'zod';
import { Predicate } from '../../protocol/lesson/predicate.ts';
import { DEVICE_ID, type DeskWord, type RoomWord } from '../../protocol/room/room.ts';

const traceId = z.string().regex(/^[0-9a-f]{32}$/);
const secret = z.string().regex(/^[\w-]{10,64}$/);
const id = z.string().regex(/^[\w-]{1,64}$/);
const words = z.string().min(1).max(300);
const count = z.int().min(0).max(100_000);

export const roomWord = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('join'),
    as: z.enum(['device', 'screen']),
    device: z.string().regex(DEVICE_ID).exactOptional(),
  }),
  z.object({ type: z.literal('at'), isAway: z.boolean(), screen: count.nullable() }),
  z.object({ type: z.literal('answer'), poll: id, say: z.string().min(1).max(600) }),
  z.object({ type: z.literal('ask'), offer: count }),
  z.object({
    type: z.literal('click'),
    clicker: secret,
    direction: z.union([z.literal(1), z.literal(-1)]),
  }),
]) satisfies z.ZodType<RoomWord>;

const playhead = z.object({
  traceId: traceId.nullable(),
  realNs: z.number(),
  step: count,
  isResting: z.boolean(),
  level: z.enum(['chapter', 'step', 'detail']),
  pace: z.enum(['real', 'slow', 'learn', 'step']),
  isPlaying: z.boolean(),
  stopAt: z.number().nullable(),
});

const lesson = z.object({ id, title: words, screen: count, screens: count });

const question = z.object({
  id,
  ask: words,
  options: z.array(z.object({ id, say: words })).max(8),
  truth: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('choice'),
      rules: z
        .array(z.object({ when: Predicate, is: id }))
        .min(1)
        .max(8),
    }),
    z.object({ kind: z.enum(['number', 'order']), fact: Predicate }),
  ]),
  runs: z.record(id, traceId),
});

const driver = secret;
const offset = z.number().min(-50).max(50);
const point = z.object({ box: z.string().regex(/^[\w:/.-]{1,160}$/), x: offset, y: offset });

export const deskWord = z.discriminatedUnion('type', [
  z.object({ type: z.literal('sit'), name: z.string().max(60), driver: driver.exactOptional() }),
  z.object({ type: z.literal('drive'), driver, playhead, lesson: lesson.nullable() }),
  z.object({ type: z.literal('point'), driver, at: point.nullable() }),
  z.object({ type: z.literal('poll'), driver, question: question.nullable() }),
  z.object({ type: z.literal('close-poll'), driver }),
  z.object({ type: z.literal('reveal'), driver }),
  z.object({ type: z.literal('offer'), driver, commands: z.array(words).max(12) }),
  z.object({ type: z.literal('take-wheel') }),
  z.object({ type: z.literal('hand-over'), driver, to: id }),
  z.object({ type: z.literal('end'), driver }),
]) satisfies z.ZodType<DeskWord>;
