/**
 * Two browser suites. `web` looks at the built page with its recorded run: no root, no engine.
 * `live` starts the engine and goes from the click to a real container and back.
 */
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const PREVIEW_PORT = Number(process.env['ENGINE_ROOM_PREVIEW_PORT'] ?? 47_170);
const asksForWeb = !process.argv.some((word) => word === '--project=live');

const chromium = [
  process.env['CHROME_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path && existsSync(path));

export default defineConfig({
  testDir: '.',
  outputDir: '../test-results/browser',
  // One machine, one kernel: what runs side by side would disturb what is measured.
  workers: 1,
  retries: 0,
  timeout: 120_000,
  // A busy machine shows the same things later.
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env['CI']),
  use: {
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    trace: 'off',
    launchOptions: {
      ...(chromium ? { executablePath: chromium } : {}),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'web', testDir: 'web', use: { baseURL: `http://127.0.0.1:${PREVIEW_PORT}` } },
    { name: 'live', testDir: 'live' },
  ],
  ...(asksForWeb
    ? {
        webServer: {
          cwd: '..',
          command: `node node_modules/vite/bin/vite.js preview --host 127.0.0.1 --port ${PREVIEW_PORT} --strictPort`,
          url: `http://127.0.0.1:${PREVIEW_PORT}`,
          reuseExistingServer: false,
        },
      }
    : {}),
});
