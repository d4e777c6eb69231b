/** The page's colours, held to what the design asks of them: WCAG's contrasts, and domains that nobody confuses. */
import { describe, expect, test } from 'vitest';
import { closest, contrast, distance, readPalette, VISIONS } from './palette.mjs';

const SURFACES = ['background', 'surface', 'raised'] as const;
const TEXT = ['text', 'muted', 'you', 'daemons', 'container', 'kernel', 'ok', 'error', 'wait'];
const GRAPHICS = ['outline', 'focus', 'primary'];

describe.each(Object.entries(readPalette()))('the %s palette', (_, colours) => {
  test('has every colour', () => {
    for (const name of [...SURFACES, ...TEXT, ...GRAPHICS]) expect(colours[name]).toMatch(/^#/);
  });

  test.each(TEXT)('%s can be read on every surface', (name) => {
    for (const under of SURFACES)
      expect(contrast(colours[name], colours[under]), under).toBeGreaterThanOrEqual(4.5);
  });

  test.each(GRAPHICS)('%s can be seen on every surface', (name) => {
    for (const under of SURFACES)
      expect(contrast(colours[name], colours[under]), under).toBeGreaterThanOrEqual(3);
  });

  test('what stands on the bright button can be read', () => {
    expect(contrast(colours['on-primary'], colours['primary'])).toBeGreaterThanOrEqual(4.5);
  });

  test.each(Object.keys(VISIONS) as (keyof typeof VISIONS)[])(
    'the four domains stay apart for %s vision',
    (vision) => {
      expect(closest(colours, vision)?.deltaE).toBeGreaterThanOrEqual(30);
    },
  );
});

test('the measure itself: red and green are far apart, but not for everybody', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(distance('#b04040', '#40803c', 'normal')).toBeGreaterThan(60);
  expect(distance('#a06a30', '#6f7f30', 'deutan')).toBeLessThan(25);
});
