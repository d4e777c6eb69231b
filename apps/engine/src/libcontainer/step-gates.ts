/**
 * Gates before steps of a plan: runc itself, or init, blocks in read(2) until somebody says "continue".
 *
 * A gate is two steps more in the plan, so the helper needs to know nothing of it, and strace sees what the trace tells:
 * one byte out ("I am held at gate 0"), one byte in ("go on"). At the other end of the line sits whoever runs the plan.
 * When that dies, read(2) returns 0 and the plan goes on.
 */
import { readSync, writeSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { parseStepGate, type StepGate } from '../protocol/trace/gate.ts';
import { gatesOf, holdAtGate } from '../tracing/gate.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { FD } from './compilation.ts';
import { nativeArchitecture } from './host-facts.ts';
import { openFlags } from './plan/constants.ts';
import { ERRNO } from './plan/errno.ts';
import { flags, number, slot, StageBuilder, struct } from './plan/stage-builder.ts';
import type { Plan, Step } from './plan/step.ts';

type Stage = StepGate['stage'];

/** A plan with gates in it, and the descriptors that its lines are. */
export interface GatedPlan {
  readonly plan: Plan;
  readonly extraFds: readonly number[];
  /** The helper has its ends now. `subjectOf` is asked when a process is held. */
  listen(subjectOf: (stage: Stage) => Promise<number | null> | number): void;
  /** Nobody is held any more: the plan has ended, or never began. */
  close(): void;
}

export interface GatingOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly span: Span;
  readonly plan: Plan;
  /** What the plan is handed anyway, from descriptor 5 on. */
  readonly extraFds: readonly number[];
}

const LINE: Readonly<Record<Stage, string>> = { parent: 'gate of runc', init: 'gate of init' };

/** Null when no gate of this trace fits a step of this plan: then it runs as it was compiled. */
export const gatePlan = (options: GatingOptions): GatedPlan | null => {
  const { native, tracer, span, plan, extraFds } = options;
  const gates = gatesOf(span.context.traceId).flatMap((gate) => {
    const place = parseStepGate(gate);
    const index = place ? placeOf(plan[place.stage], place) : -1;
    return place && index >= 0 ? [{ gate, stage: place.stage, index }] : [];
  });
  if (gates.length === 0) return null;
  const stages = (['parent', 'init'] as const).filter((stage) =>
    gates.some((gate) => gate.stage === stage),
  );
  const lines = stages.map((stage) => ({ stage, ends: native.socketpair() }));
  const preset = Object.fromEntries(
    lines.map(({ stage }, index) => [LINE[stage], FD.firstHandedIn + extraFds.length + index]),
  );
  const numbered = gates.map((gate, byte) => ({ ...gate, byte }));
  const withGates = (stage: Stage): readonly Step[] =>
    insertGates(
      plan[stage],
      stage,
      numbered.filter((gate) => gate.stage === stage),
    );
  const stops: (() => void)[] = [];
  const theirs = lines.map(({ ends: [, end] }) => end);
  return {
    plan: {
      ...plan,
      parent: withGates('parent'),
      init: withGates('init'),
      preset: { ...plan.preset, ...preset },
    },
    extraFds: [...extraFds, ...theirs],
    listen: (subjectOf) => {
      for (const fd of theirs.splice(0)) native.close(fd);
      for (const { stage, ends } of lines) {
        const [ours] = ends;
        stops.push(
          serveLine(native, ours, async (byte, signal) =>
            holdAtGate(tracer, {
              context: span.context,
              gate: gates[byte]?.gate ?? '',
              subjectPid: (await subjectOf(stage)) ?? process.pid,
              signal,
              source: __SOURCE__,
            }),
          ),
        );
      }
    },
    close: () => {
      for (const fd of theirs.splice(0)) native.close(fd);
      if (stops.length === 0) for (const { ends } of lines) native.close(ends[0]);
      for (const stop of stops.splice(0)) stop();
    },
  };
};

/** A step whose guard looks at the one before it cannot be parted from that one. */
const placeOf = (steps: readonly Step[], { call, occurrence }: StepGate): number => {
  let left = occurrence;
  let index = steps.findIndex(({ name }) => name === call && --left === 0);
  while (steps[index]?.guard?.kind === 'ifPreviousFailedWith') index -= 1;
  return index;
};

const insertGates = (
  steps: readonly Step[],
  stage: Stage,
  gates: readonly { readonly gate: string; readonly index: number; readonly byte: number }[],
): readonly Step[] => {
  if (gates.length === 0) return steps;
  const kept = stage === 'init' ? keepLine() : [];
  return [
    ...kept,
    ...steps.flatMap((step, index) => [
      ...gates
        .filter((gate) => gate.index === index)
        .flatMap(({ gate, byte }) => gateSteps(stage, { gate, byte, before: step })),
      step,
    ]),
  ];
};

const keepLine = (): readonly Step[] => {
  const builder = new StageBuilder(nativeArchitecture());
  const { O_CLOEXEC } = openFlags(builder.architecture);
  builder.call('dup3', [slot(LINE.init), number(FD.gateOfInit), flags({ O_CLOEXEC }, O_CLOEXEC)], {
    title: 'keep the line of the gates where the great closing does not reach',
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:dup(2)',
    resultSlot: LINE.init,
    purpose: 'gate',
  });
  return builder.steps;
};

const gateSteps = (
  stage: Stage,
  { gate, byte, before }: { readonly gate: string; readonly byte: number; readonly before: Step },
): readonly Step[] => {
  const builder = new StageBuilder(nativeArchitecture());
  const words = {
    object: 'sync',
    source: __SOURCE__,
    purpose: 'gate',
    attributes: { 'engineroom.gate': gate },
    // Whoever opens the gate has died: then it is open.
    ignore: [ERRNO.EPIPE, ERRNO.ECONNRESET],
    ...(before.guard ? { guard: before.guard } : {}),
  } as const;
  builder.call(
    'write',
    [slot(LINE[stage]), struct({ bytes: new Uint8Array([byte]) }, `"\\${byte}"`), number(1)],
    { ...words, title: `held before ${before.name}: say so`, reference: 'man:write(2)' },
  );
  builder.call(
    'read',
    [slot(LINE[stage]), struct({ bytes: new Uint8Array(8) }, '"c"'), number(1)],
    { ...words, title: 'wait here for Continue', reference: 'man:read(2)' },
  );
  return builder.steps;
};

/** One byte in is one process held; one byte out lets it go. Takes the descriptor over; returns how to end it. */
const serveLine = (
  native: Native,
  fd: number,
  hold: (byte: number, signal: AbortSignal) => Promise<void>,
): (() => void) => {
  const buffer = new Uint8Array(1);
  const gone = new AbortController();
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    gone.abort('process is gone');
    stopWatching();
    native.close(fd);
  };
  const stopWatching = native.watchReadable(fd, () => {
    // The other end of a line that broke reads as nothing.
    if (readOrNothing(fd, buffer) === 0) return close();
    void hold(buffer[0] ?? 0, gone.signal).then(() => {
      if (isOpen) writeOrNothing(fd);
    });
  });
  return close;
};

const readOrNothing = (fd: number, buffer: Uint8Array): number => {
  try {
    return readSync(fd, buffer);
  } catch {
    return 0;
  }
};

const writeOrNothing = (fd: number): void => {
  try {
    writeSync(fd, 'c');
  } catch {
    // Killed while it was held.
  }
};
