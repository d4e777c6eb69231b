/** The bars of the swimlanes: who lived from when to when, and which work they did meanwhile. */
import type { Actor, Level } from '@engine-room/engine/protocol/trace/event.ts';
import type { StageActor } from './actors.ts';
import { isShownAt } from './levels.ts';
import type { RunModel } from './run-model.ts';

export interface Bar {
  readonly key: string;
  readonly from: number;
  /** Null while it goes on. */
  readonly to: number | null;
  readonly kind: 'life' | 'work' | 'call' | 'failed';
  readonly title: string;
  readonly eventId: string;
}

export type Lifelines = Readonly<Record<StageActor, readonly Bar[]>>;

export const lifelinesOf = (model: RunModel, level: Level): Lifelines => {
  const lines: Record<StageActor, Bar[]> = {
    docker: [],
    client: [],
    dockerd: [],
    containerd: [],
    shim: [],
    runc: [],
    container: [],
    kernel: [],
  };
  const put = (actor: Actor, bar: Bar): void => {
    if (actor !== 'lab') lines[actor].push(bar);
  };
  const machine = model.machineAt(model.length);
  for (const { pid, actor, name, bornAt, exit, toldBy } of Object.values(machine.processes)) {
    if (actor === 'dockerd' || actor === 'containerd') continue;
    put(actor, {
      key: `life-${pid}`,
      from: bornAt ?? 0,
      to: exit?.at ?? null,
      kind: 'life',
      title: `${name}, pid ${pid}`,
      eventId: toldBy,
    });
  }
  for (const spanId of model.spanIds()) {
    const span = model.span(spanId);
    if (!span?.started || span.started.kind === 'client') continue;
    const { started, ended, startedAt, endedAt } = span;
    const kind = ended?.status.code === 'error' ? 'failed' : 'work';
    put(started.emitter.actor, {
      key: spanId,
      from: startedAt,
      to: endedAt,
      kind,
      title: started.name,
      eventId: started.id,
    });
  }
  for (const { event, at } of model.order.placed) {
    if (event.type !== 'syscall' || !isShownAt(event, level)) continue;
    const lasts = Math.max(0, Number(BigInt(event.endMono) - BigInt(event.mono)));
    const kind = event.errno !== null && !event.ignored ? 'failed' : 'call';
    put('kernel', {
      key: event.id,
      from: at,
      to: at + lasts,
      kind,
      title: event.name,
      eventId: event.id,
    });
  }
  return lines;
};
