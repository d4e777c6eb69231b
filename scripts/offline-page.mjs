/**
 * Builds the page once more as one file, `offline.html`, into which the page itself puts a run when somebody saves it:
 * it then replays from a disk, without any server and without one request. Fonts are left to the system.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { viteLessons } from './lessons/vite-lessons.ts';

const WEB = join(dirname(dirname(fileURLToPath(import.meta.url))), 'apps/web');
/** What the page replaces by the run (apps/web/src/run-files.ts). */
const PLACE = '<script type="text/plain" id="recording"></script>';

export const offlinePage = {
  name: 'offline-page',
  apply: 'build',
  async generateBundle() {
    const { output } = await build({
      configFile: false,
      root: WEB,
      mode: 'offline',
      logLevel: 'warn',
      publicDir: false,
      plugins: [viteLessons({ isOneFile: true }), react()],
      build: {
        write: false,
        target: 'es2022',
        assetsInlineLimit: 0,
        cssCodeSplit: false,
        modulePreload: false,
        rollupOptions: { output: { codeSplitting: false } },
      },
    });
    this.emitFile({ type: 'asset', fileName: 'offline.html', source: onePage(output) });
  },
};

function onePage(output) {
  const scripts = output.filter(({ type }) => type === 'chunk');
  if (scripts.length !== 1) throw new Error(`the offline page has ${scripts.length} scripts`);
  const code = scripts[0].code.replaceAll('</script', '<\\/script');
  const styles = output
    .filter(({ fileName }) => fileName.endsWith('.css'))
    .map(({ source }) => String(source).replace(/@font-face\s*\{[^}]*\}/g, ''))
    .join('\n');
  const html = String(output.find(({ fileName }) => fileName === 'index.html').source);
  // Functions, because code is full of `$`, which means something in a replacement text.
  return html
    .replace(/\s*<script[^>]*src=[^>]*><\/script>/g, '')
    .replace(/\s*<link[^>]*(?:stylesheet|icon)[^>]*>/g, '')
    .replace('</head>', () => `<style>${styles}</style>\n  </head>`)
    .replace('</body>', () => `${PLACE}\n<script type="module">${code}</script>\n  </body>`);
}
