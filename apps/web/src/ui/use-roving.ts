/** Many controls, one stop for Tab: arrows go from one to the next, Home and End to the ends. WAI-ARIA practices, toolbar. */
import {
  useLayoutEffect,
  useRef,
  type FocusEvent,
  type KeyboardEvent,
  type RefObject,
} from 'react';

interface Roving<T extends HTMLElement> {
  readonly ref: RefObject<T | null>;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly onFocus: (event: FocusEvent) => void;
  readonly 'data-own-arrows': true;
}

export const useRoving = <T extends HTMLElement>(
  selector: string,
  [back, onward]: readonly [back: string, onward: string],
): Roving<T> => {
  const ref = useRef<T>(null);
  const at = useRef<HTMLElement | null>(null);
  const all = (): readonly HTMLElement[] => [
    ...(ref.current?.querySelectorAll<HTMLElement>(selector) ?? []),
  ];
  const settle = (): void => {
    const items = all();
    const stop = items.find((item) => item === at.current) ?? items[0];
    for (const item of items) item.tabIndex = item === stop ? 0 : -1;
  };
  // Whatever was drawn: there may be more of them now, or others.
  useLayoutEffect(settle);
  return {
    ref,
    'data-own-arrows': true,
    onFocus: ({ target }) => {
      const item = all().find((each) => each === target);
      if (!item) return;
      at.current = item;
      settle();
    },
    onKeyDown: (event) => {
      const items = all();
      const index = items.findIndex((item) => item === event.target);
      const next = {
        [back]: index - 1,
        [onward]: index + 1,
        Home: 0,
        End: items.length - 1,
      }[event.key];
      if (index === -1 || next === undefined || event.shiftKey) return;
      event.preventDefault();
      items[(next + items.length) % items.length]?.focus();
    },
  };
};

export const ACROSS = ['ArrowLeft', 'ArrowRight'] as const;
export const DOWN = ['ArrowUp', 'ArrowDown'] as const;
