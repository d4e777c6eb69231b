/**
 * libFuzzer at the decoder of plans (native/src/helper): clang watches which branches an input reaches and keeps what is
 * new, under AddressSanitizer and UBSan. It begins with the plan of a container.
 * Needs clang with its sanitizers (`npm run test:peers` installs it).
 *
 *   node bench/fuzz-plan.mjs [--seconds 60] [--keep FOLDER]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { importSources } from './bundle.mjs';

const NATIVE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'native');
const FLAGS =
  '-std=gnu17 -D_GNU_SOURCE -O1 -g -DENGINE_ROOM_FAKE_SYSTEM_CALLS -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Wl,--wrap=copy_tree';
const SOURCES = [
  'test/fuzz_plan.c',
  'src/helper/execute.c',
  'src/helper/copy_tree.c',
  'src/helper/plan_check.c',
];

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, keep: { type: 'string' } },
});
if (!/^[1-9]\d{0,5}$/.test(values.seconds)) {
  console.error('--seconds must be a whole number of at least 1');
  process.exit(2);
}

const { aPlan } = await importSources('fuzz-plan', ['bench/fuzz/runtime.ts']);
const folder = mkdtempSync(join(tmpdir(), 'fuzz-plan-'));
const corpus = values.keep ?? join(folder, 'corpus');
try {
  const program = join(folder, 'fuzz');
  const sources = SOURCES.map((source) => join(NATIVE, source));
  execFileSync('clang', [...FLAGS.split(' '), ...sources, '-o', program]);
  mkdirSync(corpus, { recursive: true });
  writeFileSync(join(corpus, 'a-container'), aPlan());
  const { status } = spawnSync(
    program,
    [
      corpus,
      `-max_total_time=${values.seconds}`,
      '-max_len=65536',
      '-timeout=10',
      '-rss_limit_mb=1024',
      '-print_final_stats=1',
      '-verbosity=1',
      // Where an input that fails is kept: beside whoever called.
      '-artifact_prefix=./fuzz-plan-',
    ],
    { stdio: 'inherit' },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
