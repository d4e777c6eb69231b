/** The ending of a file tells the world that it belongs to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const source = join(import.meta.dirname, '../src');

function includesOf(folder: string, ending: string): [file: string, header: string][] {
  return readdirSync(join(source, folder))
    .filter((file) => file.endsWith(ending))
    .flatMap((file) =>
      [
        ...readFileSync(join(source, folder, file), 'utf8').matchAll(/^#include [<"](.+)[>"]/gm),
      ].map(([, header]): [string, string] => [file, header ?? '']),
    );
}

test('.c files know no JavaScript', () => {
  const includes = [...includesOf('addon', '.c'), ...includesOf('helper', '.c')];

  expect(includes.length).toBeGreaterThan(50);
  expect(includes.filter(([, header]) => /napi|node_api|uv/.test(header))).toEqual([]);
});

test('.cc files make no system calls', () => {
  const includes = includesOf('addon', '.cc');

  expect(includes.length).toBeGreaterThan(15);
  expect(
    includes.filter(([, header]) =>
      /^(sys|linux|asm)\/|^(unistd|fcntl|sched|signal|poll)\.h/.test(header),
    ),
  ).toEqual([]);
});
