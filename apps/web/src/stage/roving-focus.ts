/** One Tab stop for the whole stage; arrows go from place to place by where they are on the screen. */
import { useState, type FocusEvent, type KeyboardEvent } from 'react';

const PLACES = '[data-place]';

const placeAt = (target: EventTarget | null): HTMLElement | null =>
  target instanceof HTMLElement && target.dataset['place'] !== undefined ? target : null;

export const useRovingFocus = () => {
  const [focusable, setFocusable] = useState('docker');
  const onFocus = ({ target }: FocusEvent): void => {
    const place = placeAt(target)?.dataset['place'];
    if (place !== undefined) setFocusable(place);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const place = placeAt(event.target);
    const [dx, dy] = DIRECTIONS[event.key] ?? [0, 0];
    // Shift with an arrow stays what it is everywhere: from chapter to chapter.
    if (!place || event.shiftKey || (dx === 0 && dy === 0)) return;
    event.preventDefault();
    const others = [...event.currentTarget.querySelectorAll<HTMLElement>(PLACES)];
    nearest(place, others, dx, dy)?.focus();
  };
  return { focusable, onFocus, onKeyDown };
};

const DIRECTIONS: Readonly<Record<string, readonly [dx: number, dy: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function nearest(
  from: HTMLElement,
  places: readonly HTMLElement[],
  dx: number,
  dy: number,
): HTMLElement | undefined {
  const a = from.getBoundingClientRect();
  let best: { readonly place: HTMLElement; readonly far: number } | undefined;
  for (const place of places) {
    if (place === from) continue;
    const b = place.getBoundingClientRect();
    const forward =
      dx === 0
        ? dy * gap(a.top, a.bottom, b.top, b.bottom)
        : dx * gap(a.left, a.right, b.left, b.right);
    const aside =
      dx === 0
        ? Math.abs(gap(a.left, a.right, b.left, b.right))
        : Math.abs(gap(a.top, a.bottom, b.top, b.bottom));
    const middle = dx === 0 ? Math.abs(a.left + a.width / 2 - b.left - b.width / 2) : 0;
    const far = forward + aside + middle / 1000;
    if (forward > 0 && (!best || far < best.far)) best = { place, far };
  }
  return best?.place;
}

/** From one stretch to another: 0 where they overlap, else how far it is from edge to edge, with its sign. */
const gap = (from: number, to: number, otherFrom: number, otherTo: number): number =>
  otherFrom >= to - 1
    ? Math.max(1, otherFrom - to)
    : otherTo <= from + 1
      ? Math.min(-1, otherTo - from)
      : 0;
