/** One Tab stop for the whole stage; arrows go from actor to actor by place. */
import { useState, type FocusEvent, type KeyboardEvent } from 'react';
import type { StageActor } from '../model/actors.ts';

/** Who stands on which side of whom. */
const NEIGHBOURS: Readonly<Record<StageActor, Partial<Record<string, StageActor>>>> = {
  docker: { ArrowRight: 'dockerd', ArrowDown: 'dockerd' },
  client: { ArrowLeft: 'docker', ArrowDown: 'containerd' },
  dockerd: { ArrowLeft: 'docker', ArrowUp: 'docker', ArrowRight: 'containerd', ArrowDown: 'runc' },
  containerd: { ArrowLeft: 'dockerd', ArrowUp: 'client', ArrowDown: 'shim' },
  shim: { ArrowUp: 'containerd', ArrowLeft: 'runc', ArrowDown: 'kernel' },
  runc: { ArrowUp: 'dockerd', ArrowRight: 'shim', ArrowLeft: 'container', ArrowDown: 'kernel' },
  container: { ArrowUp: 'dockerd', ArrowRight: 'runc', ArrowDown: 'kernel' },
  kernel: { ArrowUp: 'runc' },
};

const actorOf = (target: EventTarget | null): StageActor | null => {
  if (!(target instanceof HTMLElement)) return null;
  return (target.dataset['actorButton'] as StageActor | undefined) ?? null;
};

export const useRovingFocus = () => {
  const [focusable, setFocusable] = useState<StageActor>('docker');
  const onFocus = ({ target }: FocusEvent): void => {
    const actor = actorOf(target);
    if (actor) setFocusable(actor);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const actor = actorOf(event.target);
    // Shift with an arrow stays what it is everywhere: from chapter to chapter.
    const next = actor && !event.shiftKey ? NEIGHBOURS[actor][event.key] : undefined;
    if (!next) return;
    event.preventDefault();
    const find = (name: StageActor): HTMLElement | null =>
      event.currentTarget.querySelector<HTMLElement>(`[data-actor-button="${name}"]`);
    (find(next) ?? find('docker'))?.focus();
  };
  return { focusable, onFocus, onKeyDown };
};
