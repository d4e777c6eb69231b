import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { viteLessons } from './scripts/lessons/vite-lessons.ts';
import { offlinePage } from './scripts/offline-page.mjs';
import { packedFiles } from './scripts/packed-files.mjs';
import { sourceText } from './scripts/source-text.mjs';
import { viteSourceLocation } from './scripts/source-location.mjs';
import { xtermColours } from './scripts/xterm-colours.mjs';

/** Suites that share one machine's kernel run one file at a time. */
const serial = { pool: 'forks', fileParallelism: false, maxWorkers: 1 } as const;

/** Node has a `localStorage` of its own since version 25, which the tests of a page must not see instead of the page's. */
const ofABrowser = process.allowedNodeEnvironmentFlags.has('--webstorage')
  ? ['--no-webstorage']
  : [];

/** One file builds the page and names the test projects. */
export default defineConfig({
  root: 'apps/web',
  plugins: [viteLessons(), react(), xtermColours, sourceText, offlinePage, packedFiles],
  // No data: addresses, and of inline code only what index.html has: the lab's Content-Security-Policy knows it by its hash.
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: false,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What the first load needs comes in two files, the page and the stage; the bundler would make forty of them.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'page', tags: ['$initial'], priority: 1 },
            { name: 'Stage', test: /apps[\\/]web[\\/]src[\\/]stage[\\/]Stage\.tsx$/ },
          ],
        },
      },
    },
  },
  // `npx vite` beside a running lab: the page from here, the trace from there.
  server: { proxy: { '/api': { target: 'http://127.0.0.1:7070', ws: true } } },
  // The built page alone: whatever runs on this machine has no part in it.
  preview: { proxy: {} },
  test: {
    root: '.',
    projects: [
      {
        plugins: [viteSourceLocation],
        test: {
          name: 'unit',
          // For a machine that is busy with something else; no test waits for a time to pass.
          testTimeout: 60_000,
          root: '.',
          include: ['apps/engine/src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
          exclude: ['**/*.kernel.test.ts', '**/*.broker.test.ts', '**/node_modules/**'],
        },
      },
      {
        plugins: [viteLessons(), react()],
        test: {
          name: 'web',
          testTimeout: 60_000,
          root: '.',
          environment: 'happy-dom',
          execArgv: ofABrowser,
          include: ['apps/web/src/**/*.test.{ts,tsx}'],
        },
      },
      {
        plugins: [viteSourceLocation],
        test: {
          ...serial,
          name: 'kernel',
          root: '.',
          include: ['apps/engine/src/**/*.kernel.test.ts', 'native/test/**/*.kernel.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        plugins: [viteSourceLocation],
        test: {
          ...serial,
          name: 'broker',
          root: '.',
          include: ['apps/engine/src/**/*.broker.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...serial,
          name: 'docker-cli',
          root: '.',
          include: ['e2e/docker-cli/**/*.test.ts'],
          // How to start Debian's daemons, and what they make of nonsense, is Debian's business.
          exclude: process.env['DOCKER_CLI_PEER']
            ? ['restart', 'api-fuzz', 'tcp', 'disk-full', 'daemon-ipv6'].map(
                (name) => `**/${name}.test.ts`,
              )
            : [],
          globalSetup: ['e2e/docker-cli/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...serial,
          name: 'lessons',
          root: '.',
          include: ['e2e/lessons/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...serial,
          name: 'conformance',
          root: '.',
          include: ['e2e/conformance/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...serial,
          name: 'sdk',
          root: '.',
          include: ['e2e/sdk/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...serial,
          // Wants a network namespace of its own: see scripts/test-peers.mjs.
          name: 'beside-docker',
          root: '.',
          include: ['e2e/conformance/beside-docker.check.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...serial,
          // By hand, with moby's document: see the file.
          name: 'swagger',
          root: '.',
          include: ['e2e/conformance/swagger.check.ts'],
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...serial,
          name: 'crash-matrix',
          root: '.',
          include: ['e2e/crash-matrix/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...serial,
          name: 'interop',
          root: '.',
          include: ['e2e/interop/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...serial,
          name: 'ctr',
          root: '.',
          include: ['e2e/ctr/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
