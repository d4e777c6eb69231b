/**
 * What an event is called in lessons: `POST /containers/{id}/start`, `Tasks/Create`, `runc create`, `pivot_root`,
 * `container exec`, `/tasks/exit`, `mount /data`, `RTM_NEWLINK`. Pids, ids and versions are left out, so that a name fits every run.
 */
import type { Actor, SyscallEvent, TraceEvent } from '../trace/event.ts';

const ID = /\b[0-9a-f]{64}\b/g;

export const namesOf = (event: TraceEvent): readonly string[] => {
  switch (event.type) {
    case 'message':
      return [
        event.summary
          .replace(/ \/v\d+\.\d+\//, ' /')
          .replace(/\?.*$/, '')
          .replaceAll(ID, '{id}'),
      ];
    case 'process':
      return [`${event.actor} ${event.change}`];
    case 'syscall':
      return [event.name, ...objectsOf(event)];
    case 'spanStarted':
    case 'spanEvent':
      return [event.name];
    case 'output':
      return ['output'];
    case 'spanEnded':
    case 'dropped':
      return [];
  }
};

/** What a system call is about, where many of one name are made: a place to mount at, a message to the kernel's network. */
const objectsOf = ({ name, detail, object, attributes }: SyscallEvent): readonly string[] => {
  const target = attributes['engineroom.mount.target'];
  if (name === 'mount' && typeof target === 'string') return [`mount ${target}`];
  if (object !== 'network') return [];
  if (attributes['engineroom.network.table'] !== undefined) return ['nft rules'];
  return detail.match(/\bRTM_[A-Z]+/g) ?? [];
};

/** Whom an event shows to be there. The kernel is no program, and the lab no part of Docker. */
export const actorsOf = (event: TraceEvent): readonly Actor[] => {
  const actors =
    event.type === 'message'
      ? [event.from.actor, event.to.actor]
      : event.type === 'process'
        ? [event.actor]
        : [event.emitter.actor];
  return actors.filter((actor) => actor !== 'lab' && actor !== 'kernel');
};
