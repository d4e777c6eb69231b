/**
 * What Lighthouse says of the page, on a phone and on a desk, as the lab serves it: the median of several runs. It is no
 * dependency of ours, so it is asked for. Needs root, because it starts an engine.
 *
 *   npm install --prefix DIR lighthouse@12 && node bench/lighthouse.mjs --lighthouse DIR [--runs 3]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { load, median } from './measure.mjs';

const LAB = fileURLToPath(new URL('../apps/engine/bin/lab', import.meta.url));
const CHROMIUM = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

/** The two ways in which Lighthouse itself looks at a page. */
const FORMS = {
  phone: {},
  desk: {
    formFactor: 'desktop',
    screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1 },
    throttling: { rttMs: 40, throughputKbps: 10_240, cpuSlowdownMultiplier: 1 },
  },
};
const SCORES = ['accessibility', 'best-practices', 'performance'];
const AUDITS = ['largest-contentful-paint', 'cumulative-layout-shift', 'total-blocking-time'];

const { values } = parseArgs({
  options: { lighthouse: { type: 'string' }, runs: { type: 'string', default: '3' } },
});
if (values.lighthouse === undefined) {
  console.error(
    '--lighthouse DIR is needed: where `npm install --prefix DIR lighthouse@12` put it',
  );
  process.exit(2);
}

async function startLab(root) {
  const lab = spawn(
    LAB,
    [
      ...['--port', '0', '--no-open', '--cgroup-parent', `/engine-room-bench-${process.pid}`],
      ...['--data-root', join(root, 'data'), '--exec-root', join(root, 'exec')],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(lab, 'exit');
  let said = '';
  const url = await new Promise((found, failed) => {
    lab.stdout.on('data', (chunk) => {
      said += chunk;
      const [, address] = /Open\s+(http\S+)/.exec(said) ?? [];
      if (address) found(address);
    });
    void exited.then(() => failed(new Error(`the lab has ended:\n${said}`)));
  });
  const stop = async () => {
    lab.kill('SIGTERM');
    await exited;
  };
  return { url, stop };
}

const { resolve: find } = createRequire(join(resolve(values.lighthouse), 'package.json'));
const importFrom = async (name) => import(pathToFileURL(find(name)).href);
const { default: lighthouse } = await importFrom('lighthouse');
const { launch } = await importFrom('chrome-launcher');

const root = mkdtempSync(join(tmpdir(), 'engine-room-lighthouse-'));
const lab = await startLab(root);
const chrome = await launch({
  chromePath: CHROMIUM,
  chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu'],
});
console.log(`load ${load()} (1, 5, 15 min)`);
try {
  for (const [form, settings] of Object.entries(FORMS)) {
    const reports = [];
    for (let run = 0; reports.length < Number(values.runs) && run < 10; run += 1) {
      const { lhr } = await lighthouse(lab.url, {
        port: chrome.port,
        output: 'json',
        logLevel: 'error',
        ...settings,
      });
      // A busy machine now and then records no page at all.
      if (lhr.runtimeError) console.error(lhr.runtimeError.message);
      else reports.push(lhr);
    }
    const of = (take) => median(reports.map(take));
    const scores = SCORES.map((id) => `${id} ${of((lhr) => lhr.categories[id].score * 100)}`);
    const audits = AUDITS.map(
      (id) => `${id} ${of((lhr) => lhr.audits[id].numericValue).toFixed(3)}`,
    );
    console.log(`${form}: ${[...scores, ...audits].join(', ')}`);
  }
} finally {
  await chrome.kill();
  await lab.stop();
  rmSync(root, { recursive: true, force: true });
}
