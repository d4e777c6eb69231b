/**
 * Counts honestly. Each runner's own report becomes `{ passed, failed, skipped }`; a runner that crashed, found nothing
 * or left no report is a failure, and under CI a skipped test is one too.
 */
import { stripVTControlCharacters } from 'node:util';

/** vitest's JSON report. A file that could not be loaded has no assertions of its own, yet it failed. */
export function countVitest(report) {
  const broken = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** What a runner says of a failure, without colours and without the runner's own frames: enough to see what differed. */
const LINES = 30;
const gist = (text = '') =>
  stripVTControlCharacters(text)
    .trim()
    .split('\n')
    .filter(
      (line) => !/^\s+at .*(node_modules|node:internal|new Promise \(<anonymous>\))/.test(line),
    )
    .slice(0, LINES)
    .join('\n    ');

const AT_LENGTH = 5;
/**
 * Where only the end of a log is kept, every failure is to have its line there: the first few at length, the others by name.
 * @param {readonly string[]} failures
 * @returns {string}
 */
export const digest = (failures) =>
  failures.map((text, index) => (index < AT_LENGTH ? text : text.split('\n', 1)[0])).join('\n');

/** The names of the tests that failed in vitest's JSON report, or of the files that could not be loaded. */
export function failuresOfVitest(report) {
  return report.testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      if (failed.length === 0) return [`${name}: ${gist(message)}`];
      return failed.map(
        ({ fullName, failureMessages }) => `${name}: ${fullName}: ${gist(failureMessages[0])}`,
      );
    });
}

const errorOf = (tests) => {
  const error = tests.flatMap(({ results = [] }) => results).find((result) => result.error)?.error;
  return error ? `: ${gist(error.message)}` : '';
};

/** The names of the tests that failed, or needed a second try, in Playwright's JSON report. */
export function failuresOfPlaywright(report) {
  const below = ({ suites = [], specs = [] }) => [
    ...specs
      .filter(({ tests }) =>
        tests.some(({ status }) => status !== 'expected' && status !== 'skipped'),
      )
      .map(({ file, title, tests }) => `${file}: ${title}${errorOf(tests)}`),
    ...suites.flatMap(below),
  ];
  return [...below(report), ...(report.errors ?? []).map(({ message }) => gist(message))];
}

/** Playwright's JSON report. A test that needed a second try is a failure: nobody should have to wonder. */
export function countPlaywright(report) {
  const { expected, unexpected, flaky, skipped } = report.stats;
  return { passed: expected, failed: unexpected + flaky + (report.errors?.length ?? 0), skipped };
}

/**
 * One runner's verdict. `counts` is null when there was no readable report.
 * @param {{ exitCode: number, counts: { passed: number, failed: number, skipped: number } | null, ci: boolean }} run
 */
export function judge({ exitCode, counts, ci }) {
  if (counts === null) return { passed: 0, failed: 1, skipped: 0, note: 'left no report' };
  const { passed } = counts;
  let { failed, skipped } = counts;
  const notes = [];
  if (exitCode !== 0 && failed === 0) {
    failed += 1;
    notes.push(`ended with exit code ${exitCode}`);
  }
  if (passed + failed + skipped === 0) {
    failed += 1;
    notes.push('ran no test');
  }
  if (ci && skipped > 0) {
    failed += skipped;
    notes.push(`${skipped} skipped, which is a failure here`);
    skipped = 0;
  }
  return { passed, failed, skipped, note: notes.join('; ') };
}

/** @returns {{ passed: number, failed: number, skipped: number }} */
export const total = (verdicts) =>
  verdicts.reduce(
    (sum, { passed, failed, skipped }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );

/**
 * The table that stands above the last line.
 * @param {readonly { name: string, passed: number, failed: number, skipped: number, seconds: number, note: string }[]} verdicts
 * @returns {string}
 */
export function table(verdicts) {
  const width = Math.max(...verdicts.map(({ name }) => name.length));
  return verdicts
    .map(({ name, passed, failed, skipped, seconds, note }) =>
      [
        failed > 0 ? '✗' : '✓',
        name.padEnd(width),
        `${String(passed).padStart(5)} passed`,
        `${String(failed).padStart(3)} failed`,
        `${String(skipped).padStart(3)} skipped`,
        `${seconds.toFixed(1).padStart(7)} s`,
        note,
      ].join('  '),
    )
    .join('\n');
}
