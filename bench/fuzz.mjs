/**
 * Feeds hostile input to everything that takes it: `node bench/fuzz.mjs --inputs 1000000`.
 *
 *   --inputs N   in all, shared among the targets by their speed (100,000)
 *   --seed N     the same inputs again; printed at each start
 *   --only WORD  the targets with this word in their name
 *
 * Each target runs in a process of its own with a bounded heap. It fails by throwing what is no refusal, by an exception
 * that nobody caught, by standing still (a hang), and by holding more memory than its bound.
 */
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { importSources } from './bundle.mjs';

const HEAP_LIMIT_MIB = 512;
const MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024;
const STANDSTILL_MS = 60_000;
const TELL_MS = 250;
const HELPER = 'plans in the native helper';

/** In a process of its own: takes one order and tells how far it is, until it is done. */
async function obey({ url, name, inputs, seed }) {
  const { TARGETS } = await import(url);
  let digested = 0;
  const tell = () => process.send({ digested, memory: process.memoryUsage.rss() });
  const telling = setInterval(tell, TELL_MS);
  const target = TARGETS.find((each) => each.name === name);
  await target.run({ inputs, seed, onInput: () => (digested += 1) });
  clearInterval(telling);
  tell();
  process.disconnect();
}

/** Resolves with how far it came and what went wrong. */
function runTarget(order) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(import.meta.url), ['--obey'], {
      execArgv: [`--max-old-space-size=${HEAP_LIMIT_MIB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    let digested = -1;
    let most = 0;
    let problem = null;
    const stop = (why) => {
      problem ??= why;
      child.kill('SIGKILL');
    };
    let standstill;
    child.on('message', (news) => {
      most = Math.max(most, news.memory);
      if (news.memory > MEMORY_LIMIT_BYTES) stop(`holds ${news.memory} bytes`);
      if (news.digested === digested) return;
      digested = news.digested;
      clearTimeout(standstill);
      standstill = setTimeout(() => stop(`stands still after ${digested} inputs`), STANDSTILL_MS);
    });
    child.stderr.on('data', (chunk) => (said = (said + chunk).slice(-20_000)));
    child.on('close', (code) => {
      clearTimeout(standstill);
      if (code !== 0) problem ??= said;
      resolve({ problem, digested: Math.max(0, digested), most });
    });
    child.send(order);
  });
}

/** The native helper's check of a plan, under AddressSanitizer: its own mutations, written in C. */
function fuzzHelper(bytes, inputs, seed) {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-helper-'));
  const native = join(import.meta.dirname, '../native');
  try {
    const program = join(folder, 'fuzz');
    const flags =
      '-std=gnu17 -D_GNU_SOURCE -O1 -g -DENGINE_ROOM_FAKE_SYSTEM_CALLS -fsanitize=address,undefined -fno-sanitize-recover=all';
    const sources = [
      'test/fuzz.c',
      'src/helper/execute.c',
      'src/helper/copy_tree.c',
      'src/helper/plan_check.c',
    ];
    execFileSync('cc', [
      ...flags.split(' '),
      ...sources.map((source) => join(native, source)),
      '-o',
      program,
    ]);
    execFileSync(program, [String(seed), String(inputs)], { input: bytes, stdio: 'pipe' });
    return null;
  } catch (error) {
    return String(error.stderr ?? error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(name, begin, { digested, problem, most }) {
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const memory = most ? `, at most ${(most / 2 ** 20).toFixed(0)} MiB` : '';
  console.log(
    `${problem ? '✗' : '✓'} ${name}: ${digested.toLocaleString('en')} inputs in ${seconds} s${memory}`,
  );
  if (problem) console.log(problem);
}

async function main() {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(1 + (Date.now() % 2 ** 30)) },
      only: { type: 'string', default: '' },
    },
  });
  const inputs = Number(values.inputs);
  const seed = Number(values.seed);
  if (![inputs, seed].every(Number.isSafeInteger) || inputs < 1 || seed < 1) {
    console.error('--inputs and --seed must be whole numbers of at least 1');
    process.exit(2);
  }
  const { TARGETS, aPlan } = await importSources('fuzz', [
    'bench/fuzz/targets.ts',
    'bench/fuzz/runtime.ts',
  ]);
  const url = new URL('../.tmp/bench/fuzz.mjs', import.meta.url).href;
  const chosen = TARGETS.filter(({ name }) => name.includes(values.only));
  const speed = chosen.reduce((sum, { perThousand }) => sum + perThousand, 0);
  console.log(`seed ${seed}`);
  let total = 0;
  let failed = 0;
  for (const target of chosen) {
    const share = Math.ceil((inputs * target.perThousand) / speed);
    const begin = performance.now();
    const outcome = await runTarget({
      url,
      name: target.name,
      inputs: share,
      seed,
    });
    report(target.name, begin, outcome);
    total += outcome.digested;
    failed += outcome.problem ? 1 : 0;
  }
  if (HELPER.includes(values.only)) {
    const begin = performance.now();
    const problem = fuzzHelper(aPlan(), inputs, seed);
    report(HELPER, begin, { digested: inputs, problem });
    failed += problem ? 1 : 0;
  }
  console.log(`${total.toLocaleString('en')} inputs, ${failed} targets failed`);
  process.exit(failed === 0 ? 0 : 1);
}

if (process.argv[2] === '--obey') process.once('message', (order) => void obey(order));
else await main();
