/**
 * Puts the engine's source beside the page, as text under /source/, so that each event of a trace can show the lines
 * that told it. The page is built from the same tree as the engine, so lines and events agree.
 */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = 'apps/engine/src';

export const sourceText = {
  name: 'source-text',
  apply: 'build',
  async generateBundle() {
    const entries = await readdir(join(ROOT, SOURCES), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts'))
        continue;
      const file = join(entry.parentPath, entry.name);
      const source = await readFile(file, 'utf8');
      // Only files that tell events are ever asked for.
      if (!source.includes('__SOURCE__')) continue;
      const path = relative(ROOT, file).replaceAll('\\', '/');
      this.emitFile({ type: 'asset', fileName: `source/${path}.txt`, source });
    }
  },
};
