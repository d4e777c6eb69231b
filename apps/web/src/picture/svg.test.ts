import { expect, test } from 'vitest';
import { colourOf, type Picture, type TextShape } from './shapes.ts';
import { svgOf } from './svg.ts';

const words = (text: string): TextShape => ({
  kind: 'text',
  text,
  x: 1,
  baseline: 2,
  width: 30,
  font: { size: 12, weight: '400', family: '"Mono", monospace' },
  fill: '#112233',
  opacity: 1,
  isStruck: false,
});

const picture = (...texts: readonly string[]): Picture => ({
  width: 100,
  height: 50,
  background: '#000000',
  title: texts[0] ?? '',
  description: '',
  shapes: texts.map(words),
});

test('what a container prints cannot become markup, and the file stays XML', () => {
  const hostile = '</text><script>alert(1)</script> & "\u0000\u001b[31m\ud800 \u{1f40b}';

  const parsed = new DOMParser().parseFromString(svgOf(picture(hostile)), 'image/svg+xml');

  expect(parsed.querySelector('parsererror')).toBeNull();
  expect(parsed.querySelector('script')).toBeNull();
  expect(svgOf(picture(hostile))).not.toContain('<script');
  expect(svgOf(picture(hostile))).toContain(
    '&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;\ufffd\ufffd[31m\ufffd \u{1f40b}',
  );
});

test.each([
  ['rgb(126, 151, 251)', '#7e97fb'],
  ['rgba(0, 0, 0, 0)', null],
  ['rgba(255, 0, 0, 0.5)', '#ff000080'],
  ['color(srgb 1 0.5 0 / 0.35)', '#ff800059'],
  ['currentcolor', null],
])('%s is %s', (computed, colour) => {
  expect(colourOf(computed)).toBe(colour);
});
