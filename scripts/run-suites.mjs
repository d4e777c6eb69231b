/**
 * Runs suites one after another, each in a process group of its own with a time limit, and prints one verdict.
 * Depends on nothing that has to be installed: on a fresh clone it is what starts the installation.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pathWithTools } from './system-needs.mjs';
import {
  countPlaywright,
  countVitest,
  digest,
  failuresOfPlaywright,
  failuresOfVitest,
  judge,
  table,
  total,
} from './test-summary.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REPORTS = join(ROOT, 'test-results');
const MINUTE = 60_000;
/**
 * Tests run on the Node that npm runs on, which may be the oldest that we take; what they start as a program of its own
 * runs on the one that npm put into its PATH, the engine's.
 */
const NODE = process.env.npm_node_execpath ?? process.execPath;

/** A command that is right or wrong: one check. */
export const check = (name, command, options = {}) => ({ name, command, ...options });

/** Projects of vite.config.ts; with `files` only these of them. */
export const vitest = (name, projects, { files = [], ...options } = {}) => {
  const report = join(REPORTS, `${name}.json`);
  return {
    name,
    report,
    count: countVitest,
    failures: failuresOfVitest,
    command: [
      NODE,
      'node_modules/vitest/vitest.mjs',
      'run',
      ...files,
      ...projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...files,
    ],
    ...options,
  };
};

/** Projects of e2e/playwright.config.ts; with `files` only these of them. */
export const playwright = (name, project, { files = [], ...options } = {}) => {
  const report = join(REPORTS, `${name}.json`);
  return {
    name,
    report,
    count: countPlaywright,
    failures: failuresOfPlaywright,
    command: [
      NODE,
      'node_modules/@playwright/test/cli.js',
      'test',
      ...files,
      '--config=e2e/playwright.config.ts',
      `--project=${project}`,
      '--reporter=list,json',
    ],
    ...options,
    env: { ...options.env, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
  };
};

let current = null;
const killGroup = (child, signal) => {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
};
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.once(signal, () => {
    if (current) killGroup(current, signal);
    process.exit(code);
  });

/** Runs one command with our standard output and no standard input. Resolves with its exit code. */
export function run([file, ...args], { env = {}, timeoutMs = 15 * MINUTE } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      // The setup may have unpacked a docker client without installing it.
      env: { ...process.env, PATH: pathWithTools(), ...env },
      detached: true,
    });
    current = child;
    const timer = setTimeout(() => {
      console.error(`${file}: no end after ${timeoutMs / MINUTE} minutes; stopping it`);
      killGroup(child, 'SIGTERM');
      setTimeout(() => killGroup(child, 'SIGKILL'), 10_000).unref();
    }, timeoutMs);
    const end = (code) => {
      clearTimeout(timer);
      current = null;
      resolve(code);
    };
    child.on('error', (error) => {
      console.error(`${file}: ${error.message}`);
      end(127);
    });
    child.on('exit', (code, signal) => end(code ?? `signal ${signal}`));
  });
}

const readReport = ({ report, count, failures }) => {
  try {
    const read = JSON.parse(readFileSync(report, 'utf8'));
    return { counts: count(read), broken: failures(read) };
  } catch {
    return { counts: null, broken: [] };
  }
};

/** Runs the suites, prints what failed, the table and "N passed, N failed" as the last line, and sets the exit code. */
export async function runSuites(suites) {
  const ci = Boolean(process.env.CI) && process.env.CI !== 'false';
  mkdirSync(REPORTS, { recursive: true });
  const verdicts = [];
  const failures = [];
  for (const suite of suites) {
    console.log(`\n── ${suite.name} ${'─'.repeat(Math.max(0, 90 - suite.name.length))}`);
    const begin = performance.now();
    if (suite.report) rmSync(suite.report, { force: true });
    const missing = suite.needs?.() ?? null;
    let verdict;
    if (missing !== null) {
      console.log(`not run: ${missing}`);
      verdict = { passed: 0, failed: ci ? 1 : 0, skipped: 1, note: `not run: ${missing}` };
    } else {
      const exitCode = await run(suite.command, suite);
      const { counts, broken } = suite.report
        ? readReport(suite)
        : {
            counts: { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 },
            broken: [],
          };
      failures.push(...broken.map((name) => `${suite.name}: ${name}`));
      verdict = judge({ exitCode, counts, ci });
    }
    verdicts.push({ name: suite.name, seconds: (performance.now() - begin) / 1000, ...verdict });
    if (suite.fatal && verdict.failed > 0) break;
  }
  const { passed, failed } = total(verdicts);
  if (failures.length > 0) console.log(`\nfailed:\n${digest(failures)}`);
  console.log(`\n${table(verdicts)}\n\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
