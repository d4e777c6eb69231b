/** Packs each script and style sheet of the page once more beside itself, for a server that would not do it each time. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

const pack = promisify(gzip);

export const packedFiles = {
  name: 'packed-files',
  apply: 'build',
  async writeBundle({ dir }, bundle) {
    const names = Object.keys(bundle).filter((name) => /\.(?:js|css)$/.test(name));
    await Promise.all(
      names.map(async (name) => {
        const file = join(dir, name);
        const packed = await pack(await readFile(file), { level: constants.Z_BEST_COMPRESSION });
        await writeFile(`${file}.gz`, packed);
      }),
    );
  },
};
