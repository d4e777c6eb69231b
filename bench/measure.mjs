/** What both benches share: the options, the machine's words, the statistics and the table. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

/** `--runs N`, `--warm-up N` and `--pause MS`, the time between two measurements. */
export function options({ runs, warmUp, pause = 0 }) {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: String(runs) },
      'warm-up': { type: 'string', default: String(warmUp) },
      pause: { type: 'string', default: String(pause) },
    },
  });
  const number = (name, least) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= least) return value;
    console.error(`--${name} must be a whole number of at least ${least}`);
    process.exit(2);
  };
  return { runs: number('runs', 1), warmUp: number('warm-up', 0), pause: number('pause', 0) };
}

export const load = () =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');

export function printMachine() {
  const hypervisor = readFileSync('/proc/cpuinfo', 'utf8').includes(' hypervisor ');
  console.log(
    [
      `cores    ${cpus().length}${hypervisor ? ' (virtual)' : ''}`,
      `kernel   ${release()}`,
      `memory   ${(totalmem() / 1024 ** 3).toFixed(0)} GiB`,
      `node     ${process.version}`,
      `load     ${load()} (1, 5, 15 min, before)`,
    ].join('\n'),
  );
}

/** The first line of what a program says about its version. */
export const versionOf = (command, ...args) =>
  execFileSync(command, args, { encoding: 'utf8' }).trim().split('\n')[0];

export function median(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const ms = (value) => value.toFixed(1).padStart(8);

/** Markdown, so that it can be pasted into README.md. */
export function printTable(columns) {
  const width = Math.max(...Object.keys(columns).map((name) => name.length));
  console.log(`\n| ${'ms'.padEnd(width)} |   median |      min |      max |`);
  console.log(`| ${'-'.repeat(width)} | -------: | -------: | -------: |`);
  for (const [name, samples] of Object.entries(columns))
    console.log(
      `| ${name.padEnd(width)} | ${ms(median(samples))} | ${ms(Math.min(...samples))} | ${ms(Math.max(...samples))} |`,
    );
}

export const ratio = (samples, others) => (median(samples) / median(others)).toFixed(2);
