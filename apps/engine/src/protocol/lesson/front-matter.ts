/** What stands at the head of a lesson: its runs, predictions and checks, as data. `content/README.md` is the guide. */
import * as z from 'zod';
import { FAULTS } from '../trace/fault.ts';
import { isGate } from '../trace/gate.ts';
import { CONTAINER_NAME, Id, Predicate, Value } from './predicate.ts';
import { PROGRAMS } from './programs.ts';

const Sentence = z.string().min(1).max(300);

/** A command line, under the same policy as the page's own. */
const CommandRun = z.strictObject({
  command: z.string().startsWith('docker ').max(1000),
  /** Containers of an earlier attempt that are removed first. */
  tidy: z.array(z.string().regex(CONTAINER_NAME)).max(4).default([]),
  /** Volumes, likewise. */
  tidyVolumes: z.array(z.string().regex(CONTAINER_NAME)).max(4).default([]),
  /** Where it is held until the learner says "continue". */
  gate: z.string().refine(isGate, 'is no gate').exactOptional(),
  /** So often, one after the other, where one run would be no measurement: facts about time are the median's. */
  times: z.int().min(2).max(9).exactOptional(),
});

/** A real signal to a real process of this engine. */
const FaultRun = z.strictObject({
  fault: z.enum(FAULTS),
  /** The run whose container it concerns; the trace of that run tells what became of it. */
  tells: Id,
});

/**
 * A command for a terminal of the machine, which the page is no way to: the learner types it, and the trace that it
 * leaves is the run. Words between blanks; no shell is needed for it, and none ever reads it from here.
 */
const OutsideRun = z.strictObject({
  outside: z
    .string()
    .regex(/^(?:ctr|docker)(?: [\w./:=-]+)+$/, 'must be ctr or docker and plain words')
    .max(300),
});

/** A program that is not the docker CLI. A machine that lacks it shows the recording. */
const ProgramRun = z.strictObject({ program: z.enum(PROGRAMS) });

/** Something that happens on the real engine when the learner asks for it. */
export const Run = z.union([CommandRun, ProgramRun, FaultRun, OutsideRun]);
export type Run = z.output<typeof Run>;

const Option = z.strictObject({ id: Id, say: Sentence });

/** The engine decides who was right: for a choice the first rule that holds, else the value of a fact. */
export const Prediction = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('choice'),
    id: Id,
    ask: Sentence,
    options: z.array(Option).min(2).max(6),
    truth: z.array(z.strictObject({ when: Predicate, is: Id })).min(2),
  }),
  z.strictObject({ kind: z.literal('number'), id: Id, ask: Sentence, truth: Predicate }),
  z.strictObject({
    kind: z.literal('order'),
    id: Id,
    ask: Sentence,
    options: z.array(Option).min(2).max(8),
    truth: Predicate,
  }),
]);
export type Prediction = z.output<typeof Prediction>;

export const Check = z.strictObject({
  id: Id,
  /** What is true when it is passed. */
  say: Sentence,
  that: Predicate,
  /** What to do when it is not; the first of `hints` whose predicate holds is better. */
  hint: Sentence,
  hints: z
    .array(z.strictObject({ when: Predicate, say: Sentence }))
    .max(4)
    .default([]),
});
export type Check = z.output<typeof Check>;

/** Where it stands in the code: a file of this repository, and the file of the project that it follows. */
const Source = z.strictObject({
  ours: z.string().regex(/^(?:apps|native)\/[\w./-]+$/),
  upstream: z.string().regex(/^[\w-]+\/[\w.-]+ [\w./-]+$/, 'must be "owner/repository path"'),
  say: Sentence,
});

export const FrontMatter = z.strictObject({
  title: Sentence,
  question: Sentence,
  minutes: z.number().int().min(1).max(30),
  /** Ids of the claims in the table of content/README.md. */
  proves: z.array(Id).min(1),
  runs: z.record(Id, Run),
  predictions: z.array(Prediction).min(1).max(6),
  checks: z.array(Check).min(1).max(8),
  code: z.array(Source).min(1).max(8),
});
export type FrontMatter = z.output<typeof FrontMatter>;

/** `solution.yaml`: what a learner who knows the answer does. Tests and the recorder do it on the real engine. */
export const Solution = z.strictObject({
  answers: z.record(Id, z.union([Value, z.strictObject({ observed: Predicate })])),
  steps: z
    .array(
      z.union([
        z.strictObject({ run: Id }),
        /** Lets go on what the run's gate holds, after a look at it. */
        z.strictObject({ continue: Id }),
        /** A command of the learner's own, from the page. */
        z.strictObject({ command: z.string().startsWith('docker ') }),
        /** A browser opens a page that a container serves. */
        z.strictObject({ visit: z.string().regex(/^http:\/\/127\.0\.0\.1:\d{4,5}\/$/) }),
        /** A request of a program of the learner's own, straight to the engine's socket. */
        z.strictObject({ request: z.string().regex(/^GET \/[\w/.?=&-]*$/) }),
      ]),
    )
    .min(1),
});
export type Solution = z.output<typeof Solution>;
