/**
 * The holder's side of a gate (protocol/trace/gate.ts). Without a lab, or without a gate for this very trace, passing
 * one costs a look at a file that is not there; nothing waits and nothing is told.
 */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  GATE_NEXT,
  GATE_SOCKET,
  GATES_VARIABLE,
  HELD_EVENT,
  RELEASED_EVENT,
  type DaemonGate,
  type GateAnswer,
  type GateRequest,
  type ReleaseReason,
} from '../protocol/trace/gate.ts';
import { currentContext, type SpanContext } from './context.ts';
import type { Tracer } from './tracer.ts';

/** A lab that stands still must not hold a container for ever. */
const LIMIT_MS = 15 * 60_000;

export interface Passage {
  readonly gate: DaemonGate;
  /** Default: the holder itself. Asked for only when the gate is set. */
  readonly subjectPid?: () => Promise<number> | number;
  /** What is held here makes no sense any more. Its reason may be a ReleaseReason; else the client has gone. */
  readonly signal?: AbortSignal;
  readonly source: string;
}

/** The gates that are set in this trace and were not passed yet. */
export const gatesOf = (traceId: string): readonly string[] => {
  const folder = process.env[GATES_VARIABLE];
  if (!folder) return [];
  const path = join(folder, traceId);
  // Nearly always there is none, and an exception takes longer than the question.
  if (!existsSync(path)) return [];
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
};

/** A client is being born, and its trace has no name yet. */
const isBirth = (): boolean => {
  const folder = process.env[GATES_VARIABLE];
  return folder !== undefined && existsSync(join(folder, GATE_NEXT));
};

/** Resolves at once, or when what was held here may go on. Never fails. */
export const passGate = async (tracer: Tracer, passage: Passage): Promise<void> => {
  const context = currentContext();
  if (!context) return;
  const { gate, subjectPid, source, signal } = passage;
  const isFirst = gate === 'request-accepted' && isBirth();
  if (!isFirst && !gatesOf(context.traceId).includes(gate)) return;
  const pid = await Promise.resolve(subjectPid?.()).catch(() => undefined);
  await holdAtGate(tracer, {
    context,
    gate,
    subjectPid: pid ?? process.pid,
    source,
    ...(signal ? { signal } : {}),
  });
};

/** For those who know that the gate is set. */
export const holdAtGate = async (
  tracer: Tracer,
  {
    context,
    gate,
    subjectPid,
    source,
    signal,
  }: {
    readonly context: SpanContext;
    readonly gate: string;
    readonly subjectPid: number;
    readonly source: string;
    readonly signal?: AbortSignal;
  },
): Promise<void> => {
  const { traceId, spanId } = context;
  const id = `gate/${spanId}/${gate}`;
  const attributes = { 'engineroom.gate': gate, 'process.pid': subjectPid };
  const common = { type: 'spanEvent', traceId, spanId, level: 'step', source } as const;
  let isHeld = false;
  const request = { traceId, gate, actor: tracer.actor, pid: process.pid, subjectPid };
  // Whoever is held may be killed there: what led to it is told first.
  void tracer.flush();
  const reason = await converse(request, signal, () => {
    isHeld = true;
    tracer.emit({ ...common, id: `${id}/held`, name: HELD_EVENT, attributes });
    void tracer.flush();
  });
  if (!isHeld) return;
  tracer.emit({
    ...common,
    id: `${id}/released`,
    cause: `${id}/held`,
    name: RELEASED_EVENT,
    attributes: { ...attributes, 'engineroom.gate.reason': reason },
  });
};

const answerIn = (line: string): GateAnswer => {
  try {
    return JSON.parse(line) as GateAnswer;
  } catch {
    return { released: 'lab is gone' };
  }
};

const converse = (
  request: GateRequest,
  signal: AbortSignal | undefined,
  onHeld: () => void,
): Promise<ReleaseReason> =>
  new Promise((resolve) => {
    const socket = connect(join(process.env[GATES_VARIABLE] ?? '', GATE_SOCKET));
    let rest = '';
    const end = (reason: ReleaseReason): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', gone);
      socket.destroy();
      resolve(reason);
    };
    const gone = (): void =>
      end(signal?.reason === 'process is gone' ? 'process is gone' : 'client is gone');
    const timer = setTimeout(() => end('time limit'), LIMIT_MS);
    if (signal?.aborted) return gone();
    signal?.addEventListener('abort', gone);
    socket.setEncoding('utf8');
    socket.on('error', () => end('lab is gone'));
    socket.on('close', () => end('lab is gone'));
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const answer = answerIn(line);
        if ('held' in answer) onHeld();
        else end(answer.released);
      }
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
