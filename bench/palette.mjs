/**
 * What the page's colours are worth: contrast (WCAG 2.2, 1.4.3 and 1.4.11), and how far apart the four failure domains
 * stay for people who see colours otherwise. Simulation: Machado, Oliveira, Fernandes 2009, severity 1.0, in linear RGB;
 * distance: CIE 1976, in Lab under D65.
 *
 *   node bench/palette.mjs
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TOKENS = fileURLToPath(new URL('../apps/web/src/styles/tokens.css', import.meta.url));

export const DOMAINS = ['you', 'daemons', 'container', 'kernel'];

export const VISIONS = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [
    0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
  ],
  deutan: [
    0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
  ],
  tritan: [
    1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039,
  ],
};

/** `{ dark: { text: '#eaf0fb', … }, light: … }`, as the style sheet has them. */
export function readPalette() {
  const css = readFileSync(TOKENS, 'utf8');
  const colours = (block) =>
    Object.fromEntries(
      [...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, k, v]) => [k, v]),
    );
  const [dark, light] = [...css.matchAll(/:root[^{]*\{([^}]*)\}/g)].map(([, block]) =>
    colours(block),
  );
  return { dark, light };
}

const linear = (hex) =>
  [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });

export function contrast(a, b) {
  const [x, y] = [a, b]
    .map((hex) => {
      const [red, green, blue] = linear(hex);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .sort((one, other) => other - one);
  return (x + 0.05) / (y + 0.05);
}

const multiply = (m, [a, b, c]) =>
  [0, 3, 6].map((row) => m[row] * a + m[row + 1] * b + m[row + 2] * c);

const TO_XYZ = [
  0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.072175, 0.0193339, 0.119192, 0.9503041,
];
const WHITE = [0.95047, 1, 1.08883];

function lab(rgb) {
  const [x, y, z] = multiply(
    TO_XYZ,
    rgb.map((value) => Math.min(1, Math.max(0, value))),
  ).map((value, index) => {
    const share = value / WHITE[index];
    return share > 216 / 24389 ? Math.cbrt(share) : (24389 / 27 / 116) * share + 16 / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

export function distance(a, b, vision) {
  const [one, other] = [a, b].map((hex) => lab(multiply(VISIONS[vision], linear(hex))));
  return Math.hypot(...one.map((value, index) => value - other[index]));
}

/** The two domains that come closest, for each kind of vision. */
export const closest = (colours, vision) =>
  DOMAINS.flatMap((a, index) =>
    DOMAINS.slice(index + 1).map((b) => ({
      a,
      b,
      deltaE: distance(colours[a], colours[b], vision),
    })),
  ).sort((one, other) => one.deltaE - other.deltaE)[0];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [theme, colours] of Object.entries(readPalette())) {
    const surfaces = ['background', 'surface', 'raised'];
    const least = (name) =>
      Math.min(...surfaces.map((under) => contrast(colours[name], colours[under])));
    console.log(`${theme}: contrast, the least on any surface`);
    for (const name of ['text', 'muted', ...DOMAINS, 'ok', 'error', 'wait', 'outline', 'focus'])
      console.log(`  ${name.padEnd(10)} ${least(name).toFixed(1)}:1`);
    for (const vision of Object.keys(VISIONS)) {
      const { a, b, deltaE } = closest(colours, vision);
      console.log(`  ${vision.padEnd(10)} closest: ${a} and ${b}, ΔE ${deltaE.toFixed(0)}`);
    }
  }
}
