/**
 * A predicate: one fact compared with a value, with another fact, or with what the learner answered.
 * It is data. Nothing in it is ever given to a shell, and it can only speak of the learner's own containers and runs.
 */
import * as z from 'zod';
import { FACT_NAMES, meaningOf } from './facts.ts';
import { COMPARISONS, ID } from './names.ts';

/** Docker's own rule for names, bounded. */
export const CONTAINER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/;
const SUBJECT =
  /^(?:dockerd|containerd|(?:container|shim|volume) [a-zA-Z0-9][a-zA-Z0-9_.-]{0,63})$/;
const ACTORS = ['docker', 'client', 'dockerd', 'containerd', 'shim', 'runc', 'container'] as const;

export const Id = z.string().regex(ID, 'must be lower-case letters, digits and hyphens');

const factFields = {
  fact: z.enum(FACT_NAMES),
  of: z
    .string()
    .regex(SUBJECT, 'must be dockerd, containerd, "container NAME", "shim NAME" or "volume NAME"')
    .optional(),
  run: Id.optional(),
  match: z.string().min(1).max(120).optional(),
  actor: z.enum(ACTORS).optional(),
  path: z
    .string()
    .regex(
      /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,60}){1,8}$/,
      'must be an absolute path without dots',
    )
    .optional(),
};

type Fields = { [Key in keyof typeof factFields]?: unknown };

/** A fact without what it is about would be a question without an end. */
const isComplete = (value: Fields & { fact: (typeof FACT_NAMES)[number] }): string | null => {
  const { about, needs } = meaningOf(value.fact);
  const of = typeof value.of === 'string' ? value.of : undefined;
  if (about === 'run' && value.run === undefined) return `${value.fact} needs run: NAME`;
  if (about === 'process' && of === undefined) return `${value.fact} needs of: a process`;
  if (about === 'container' && !of?.startsWith('container '))
    return `${value.fact} needs of: container NAME`;
  if ((about === 'volume') !== (of?.startsWith('volume ') === true))
    return `${value.fact} needs of: ${about === 'volume' ? 'volume NAME' : 'something else than a volume'}`;
  if (about === 'engine' && (of !== undefined || value.run !== undefined))
    return `${value.fact} is about the whole engine`;
  if (needs !== undefined && value[needs] === undefined) return `${value.fact} needs ${needs}`;
  return null;
};

const complete = (
  value: Parameters<typeof isComplete>[0],
  context: { addIssue(message: string): void },
): void => {
  const problem = isComplete(value);
  if (problem !== null) context.addIssue(problem);
};

export const Fact = z.strictObject(factFields).superRefine(complete);
export type Fact = z.output<typeof Fact>;

export const Value = z.union([
  z.string().max(4096),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.string().max(200)).max(32),
]);
export type Value = z.output<typeof Value>;

const Term = z.union([Value, z.strictObject({ answer: Id }), Fact]);
export type Term = z.output<typeof Term>;

export const Predicate = z
  .strictObject({
    ...factFields,
    equals: Term.optional(),
    not: Term.optional(),
    atLeast: Term.optional(),
    atMost: Term.optional(),
    includes: Term.optional(),
  })
  .superRefine((value, context) => {
    complete(value, context);
    const given = COMPARISONS.filter((name) => value[name] !== undefined);
    if (given.length !== 1)
      context.addIssue(`compare with exactly one of ${COMPARISONS.join(', ')}`);
  });
export type Predicate = z.output<typeof Predicate>;

export const PREDICATE_LIMIT = 64;

/** `POST /api/checks` */
export const CheckRequest = z.strictObject({
  predicates: z.array(Predicate).min(1).max(PREDICATE_LIMIT),
  /** The learner's runs by the names that the lesson gives them. */
  runs: z.record(Id, z.string().regex(/^[0-9a-f]{32}$/)),
  answers: z.record(Id, Value),
});
export type CheckRequest = z.output<typeof CheckRequest>;

/** What the lab saw, predicate by predicate, in the order of the request. */
export interface Observation {
  readonly holds: boolean;
  /** Null: there is no such thing now; `why` says what is missing. */
  readonly observed: Value;
  readonly wanted: Value;
  readonly why: string | null;
}

export interface CheckAnswer {
  readonly observations: readonly Observation[];
}
