import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { viteSourceLocation } from './scripts/source-location.mjs';

/** One file builds the page and names the test projects. */
export default defineConfig({
  root: 'apps/web',
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, sourcemap: false },
  test: {
    root: '.',
    projects: [
      {
        plugins: [viteSourceLocation],
        test: {
          name: 'unit',
          root: '.',
          include: ['apps/engine/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.kernel.test.ts', '**/node_modules/**'],
        },
      },
      {
        plugins: [react()],
        test: { name: 'web', root: '.', environment: 'happy-dom', include: ['apps/web/src/**/*.test.{ts,tsx}'] },
      },
      {
        plugins: [viteSourceLocation],
        test: {
          name: 'kernel',
          root: '.',
          include: ['apps/engine/src/**/*.kernel.test.ts', 'native/test/**/*.kernel.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
