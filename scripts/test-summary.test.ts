/** What counts as a failure. */
import { expect, test } from 'vitest';
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

const counts = { passed: 3, failed: 0, skipped: 0 };

test('a runner that left no report failed', () => {
  expect(judge({ exitCode: 0, counts: null, ci: false })).toMatchObject({ passed: 0, failed: 1 });
});

test('a runner that ended badly failed, even when each of its tests passed', () => {
  expect(judge({ exitCode: 1, counts, ci: false })).toMatchObject({ passed: 3, failed: 1 });
});

test('a runner without tests failed', () => {
  expect(
    judge({ exitCode: 0, counts: { passed: 0, failed: 0, skipped: 0 }, ci: false }).failed,
  ).toBe(1);
});

test('a skipped test is a failure under CI and a remark elsewhere', () => {
  const skipping = { passed: 3, failed: 0, skipped: 2 };

  expect(judge({ exitCode: 0, counts: skipping, ci: true })).toMatchObject({
    failed: 2,
    skipped: 0,
  });
  expect(judge({ exitCode: 0, counts: skipping, ci: false })).toMatchObject({
    failed: 0,
    skipped: 2,
  });
});

test('a test file that could not be loaded is counted once', () => {
  const report = {
    numPassedTests: 1,
    numFailedTests: 1,
    numPendingTests: 0,
    numTodoTests: 1,
    testResults: [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ],
  };

  expect(countVitest(report)).toEqual({ passed: 1, failed: 2, skipped: 1 });
});

test('a flaky browser test is a failure', () => {
  const report = { stats: { expected: 4, unexpected: 1, flaky: 1, skipped: 0 }, errors: [{}] };

  expect(countPlaywright(report)).toEqual({ passed: 4, failed: 3, skipped: 0 });
});

test('the table marks the runner that failed', () => {
  const verdicts = [
    { name: 'unit', passed: 2, failed: 0, skipped: 0, seconds: 1, note: '' },
    { name: 'kernel', passed: 1, failed: 1, skipped: 0, seconds: 2, note: 'x' },
  ];

  expect(
    table(verdicts)
      .split('\n')
      .map((line) => line[0]),
  ).toEqual(['✓', '✗']);
  expect(total(verdicts)).toEqual({ passed: 3, failed: 1, skipped: 0 });
});

test('what failed is named, with the beginning of why', () => {
  const vitestReport = {
    testResults: [
      { name: 'a.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] },
      {
        name: 'b.test.ts',
        status: 'failed',
        assertionResults: [
          { status: 'passed', fullName: 'good', failureMessages: [] },
          {
            status: 'failed',
            fullName: 'bad',
            failureMessages: [
              'Error: 1 is not 2\n  at line 3\n    at run (/x/node_modules/@vitest/runner/a.js:1:2)',
            ],
          },
        ],
      },
      { name: 'c.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
    ],
  };
  expect(failuresOfVitest(vitestReport)).toEqual([
    'b.test.ts: bad: Error: 1 is not 2\n      at line 3',
    'c.test.ts: no such module',
  ]);

  const spec = (title: string, status: string) => ({
    file: 'd.spec.ts',
    title,
    tests: [{ status }],
  });
  const browserReport = {
    suites: [
      { specs: [spec('fine', 'expected')], suites: [{ specs: [spec('second try', 'flaky')] }] },
      { specs: [spec('broken', 'unexpected'), spec('left out', 'skipped')] },
    ],
    errors: [{ message: 'the server did not start' }],
  };
  expect(failuresOfPlaywright(browserReport)).toEqual([
    'd.spec.ts: second try',
    'd.spec.ts: broken',
    'the server did not start',
  ]);
});

test('of many failures the first are told at length, and each by name', () => {
  const failures = Array.from({ length: 9 }, (_, index) => `test ${index}\nwhy`);

  const lines = digest(failures).split('\n');
  expect(lines.filter((line) => line === 'why')).toHaveLength(5);
  expect(lines.filter((line) => line.startsWith('test '))).toHaveLength(9);
});
