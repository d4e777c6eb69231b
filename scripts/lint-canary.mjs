/**
 * Plants the faults that the linter is there for, an unwatched promise first of all, and fails unless each is reported:
 * a linter that cannot read the types stays silent instead of failing.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const PLANTED = {
  'no-floating-promises':
    "import { readFile } from 'node:fs/promises';\nexport function a() {\n  readFile('a');\n}\n",
  'no-misused-promises':
    "import { readFile } from 'node:fs/promises';\nexport const b = (list: string[]) => list.forEach(async (name) => { await readFile(name); });\n",
  'no-explicit-any': 'export const c = (value: any) => value;\n',
  'no-non-null-assertion': 'export const d = (value: string | undefined) => value!.length;\n',
  'switch-exhaustiveness-check':
    "export function e(state: 'created' | 'running') {\n  switch (state) {\n    case 'created':\n      return 1;\n  }\n  return 2;\n}\n",
  'no-default-export': 'export default 1;\n',
};

const folder = mkdtempSync(join(tmpdir(), 'lint-canary-'));
try {
  for (const file of ['.oxlintrc.json', 'tsconfig.base.json'])
    copyFileSync(join(ROOT, file), join(folder, file));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    '{ "extends": "./tsconfig.base.json", "include": ["*.ts"] }\n',
  );
  for (const [rule, text] of Object.entries(PLANTED))
    writeFileSync(join(folder, `${rule}.ts`), text);
  // Named one by one: given a folder, oxlint would follow the link into node_modules.
  const files = Object.keys(PLANTED).map((rule) => `${rule}.ts`);
  const run = spawnSync(
    join(ROOT, 'node_modules/.bin/oxlint'),
    ['--type-aware', '--format', 'unix', ...files],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  const missing = Object.keys(PLANTED).filter(
    (rule) =>
      !run.stdout
        .split('\n')
        .some((line) => line.startsWith(`${rule}.ts:`) && line.includes(`(${rule})`)),
  );
  if (missing.length > 0) {
    console.error(`lint canary: not reported: ${missing.join(', ')}\n${run.stdout}${run.stderr}`);
    process.exitCode = 1;
  } else {
    console.log(`lint canary: ${Object.keys(PLANTED).length} planted faults, each is reported`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
