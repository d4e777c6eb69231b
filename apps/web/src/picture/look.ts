/** Colours and type of the page as it is now: dark or light. `styles/tokens.css` */
import type { Font } from './shapes.ts';

export interface Look {
  readonly text: string;
  readonly muted: string;
  readonly background: string;
  readonly outline: string;
  readonly hairline: string;
  readonly colour: (name: string) => string;
  readonly sans: (size: number, weight: string) => Font;
  readonly mono: (size: number, weight: string) => Font;
}

export const lookOf = (element: Element): Look => {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const font =
    (name: string) =>
    (size: number, weight: string): Font => ({ size, weight, family: token(name) });
  return {
    text: token('text'),
    muted: token('muted'),
    background: token('background'),
    outline: token('outline'),
    hairline: token('hairline'),
    colour: token,
    sans: font('sans'),
    mono: font('mono'),
  };
};
