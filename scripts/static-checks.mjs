/** The checks that read the repository without running it. */
import { check } from './run-suites.mjs';

const node = (script) => [process.execPath, `scripts/${script}`];
const npm = (script) => ['npm', 'run', '--silent', script];

export const STATIC_CHECKS = [
  check('lockfile', node('check-lockfile.mjs')),
  check('format', npm('check:format')),
  check('lint', npm('lint'), { timeoutMs: 5 * 60_000 }),
  check('types', npm('check:types')),
  check('boundaries', npm('check:boundaries')),
  check('dead code', npm('check:dead')),
  check('docs', node('check-docs.mjs')),
];
