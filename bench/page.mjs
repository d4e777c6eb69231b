/**
 * How quick the page is, and how much it keeps a phone busy. Two halves: seeking in the model, in this process; and the
 * built page with its recorded run in Chromium, without an engine. No test depends on these figures.
 *
 *   npm run build:web && node bench/page.mjs [--no-browser]
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { importSources } from './bundle.mjs';
import { load } from './measure.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RECORDING = join(ROOT, 'apps/web/public/recordings/first-run.trace.gz');
const PORT = 47_171;
const PAGE = `http://127.0.0.1:${PORT}/`;

const sorted = (values) => [...values].sort((a, b) => a - b);
const share = (values, part) =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * part))];
const ms = (value) => `${value.toFixed(1)} ms`;

const events = gunzipSync(readFileSync(RECORDING))
  .toString('utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => JSON.parse(line));

/** The recorded run again and again, one after the other, as one trace of so many events. */
function longRun(count) {
  const long = [];
  const lasts = BigInt(events.at(-1).mono) - BigInt(events[0].mono) + 1_000_000n;
  for (let round = 0; long.length < count; round += 1)
    for (const event of events) {
      if (long.length === count) break;
      const again = (id) => (id === null || id === undefined ? id : `${round}-${id}`);
      const names = { id: again(event.id), cause: again(event.cause), spanId: again(event.spanId) };
      if (event.spanId === undefined) delete names.spanId;
      const mono = String(BigInt(event.mono) + BigInt(round) * lasts);
      long.push({ ...event, ...names, mono, seq: long.length });
    }
  return long;
}

async function seeking() {
  const { RunModel } = await importSources('page-model', ['apps/web/src/model/run-model.ts']);
  for (const count of [2_000, 50_000]) {
    const model = new RunModel();
    const begun = performance.now();
    model.add(longRun(count));
    const adding = performance.now() - begun;
    // Once from end to end, as a reader does who lets it play or jumps to its end.
    const first = performance.now();
    model.machineAt(count);
    const whole = performance.now() - first;
    const times = Array.from({ length: 500 }, (_, index) => {
      const at = (index * 7919 + 13) % count;
      const from = performance.now();
      const machine = model.machineAt(at);
      model.steps('step').stepAfter(machine.n);
      return performance.now() - from;
    });
    console.log(
      `${count} events: taken in ${ms(adding)}, first fold ${ms(whole)}, seek median ${ms(share(times, 0.5))}, p95 ${ms(share(times, 0.95))}, slowest ${ms(Math.max(...times))}`,
    );
  }
}

const CHROMIUM = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

async function serve() {
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const server = spawn(
    process.execPath,
    [vite, 'preview', '--host', '127.0.0.1', '--port', String(PORT), '--strictPort'],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise((resolve, reject) => {
    server.stdout.on('data', (data) => String(data).includes('Local') && resolve());
    server.once('exit', () => reject(new Error('vite preview has ended')));
  });
  return server;
}

/** What the browser itself noted: the largest paint, shifts, and how long each interaction took to be seen. */
const watch = () => {
  globalThis.seen = { lcp: 0, cls: 0, interactions: {} };
  const look = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({
      type,
      buffered: true,
      durationThreshold: 16,
    });
  look('largest-contentful-paint', ({ startTime }) => (globalThis.seen.lcp = startTime));
  look('layout-shift', ({ value, hadRecentInput }) => {
    if (!hadRecentInput) globalThis.seen.cls += value;
  });
  look('event', ({ interactionId, duration }) => {
    const { interactions } = globalThis.seen;
    if (interactionId > 0)
      interactions[interactionId] = Math.max(duration, interactions[interactionId] ?? 0);
  });
};

async function open(browser, { throttle, ...options }) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  const others = [];
  page.on('request', (request) => request.url().startsWith(PAGE) || others.push(request.url()));
  await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
  await page.addInitScript(watch);
  await client.send('Emulation.setCPUThrottlingRate', { rate: throttle });
  // Processor time of the main thread: what else the machine does is not counted.
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.goto(PAGE);
  await page
    .getByText(/Step 0 of \d+/)
    .first()
    .waitFor();
  return { context, page, client, others: () => others.filter((url) => !url.startsWith('ws')) };
}

async function firstPaint(browser) {
  const paints = [];
  for (let load = 0; load < 5; load += 1) {
    const { context, page, others } = await open(browser, {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      deviceScaleFactor: 3,
      throttle: 4,
    });
    await page.waitForTimeout(500);
    paints.push(await page.evaluate(() => ({ ...globalThis.seen })));
    if (load === 0) console.log(`requests to others: ${others().length}`);
    await context.close();
  }
  const lcp = paints.map((paint) => paint.lcp);
  console.log(
    `phone, CPU 4 times slower, loopback: LCP median ${ms(share(lcp, 0.5))}, slowest ${ms(Math.max(...lcp))}; CLS at most ${Math.max(...paints.map(({ cls }) => cls)).toFixed(3)}`,
  );
}

/** From the click to the first frame in which the caption says something else. */
async function firstMovement(page) {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const caption = document.querySelector('[data-testid="caption"]');
        const button = document.querySelector('[aria-label="Next step"]');
        const from = performance.now();
        new MutationObserver((_, observer) => {
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.now() - from));
        }).observe(caption, { subtree: true, childList: true, characterData: true });
        button.click();
      }),
  );
}

const ACTS = 30;

async function playing(browser) {
  const { context, page, client } = await open(browser, {
    viewport: { width: 1440, height: 900 },
    throttle: 1,
  });
  const moves = [];
  for (let move = 0; move < 12; move += 1) {
    moves.push(await firstMovement(page));
    await page.waitForTimeout(150);
  }
  console.log(
    `click to first movement: median ${ms(share(moves, 0.5))}, slowest ${ms(Math.max(...moves))}`,
  );

  await page.locator('h1').click();
  await page.keyboard.press('Home');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  const busy = async () =>
    (await client.send('Performance.getMetrics')).metrics.find(
      ({ name }) => name === 'TaskDuration',
    ).value;
  const [before, from] = [await busy(), performance.now()];
  await page.waitForTimeout(10_000);
  const spent = (await busy()) - before;
  console.log(
    `main thread in Learn pace: ${((spent / ((performance.now() - from) / 1000)) * 100).toFixed(0)} % busy over 10 s`,
  );

  await page.evaluate(() => (globalThis.seen.interactions = {}));
  const acts = ['Events', 'Processes', 'Timeline'];
  for (let act = 0; act < ACTS; act += 1) {
    if (act % 3 === 2) await page.keyboard.press('z');
    else await page.getByRole('tab', { name: acts[act % 3] }).click();
    await page.waitForTimeout(120);
  }
  const slow = Object.values(await page.evaluate(() => globalThis.seen.interactions));
  // The browser notes none that took less than a frame.
  const all = Array.from({ length: Math.max(ACTS, slow.length) }, (_, act) => slow[act] ?? 16);
  console.log(
    `${ACTS} interactions while it plays: p75 ${ms(share(all, 0.75))}, slowest ${ms(Math.max(...all))}`,
  );
  await context.close();
}

console.log(`load ${load()} (1, 5, 15 min)`);
await seeking();
if (!process.argv.includes('--no-browser')) {
  // The browser tests' own.
  const { chromium } = createRequire(join(ROOT, 'e2e/package.json'))('@playwright/test');
  const server = await serve();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    await firstPaint(browser);
    await playing(browser);
  } finally {
    await browser.close();
    server.kill();
  }
}
