/**
 * `npm test`: sets up what is missing, then runs every check and test of the repository.
 * `npm test -- unit web` runs only the suites of these names. Nothing here needs node_modules until `ensure` has run.
 */
import { check, playwright, runSuites, vitest } from './run-suites.mjs';
import { STATIC_CHECKS } from './static-checks.mjs';
import { find } from './system-needs.mjs';

const needsRoot = () =>
  process.platform === 'linux' && process.getuid() === 0
    ? null
    : 'needs root on Linux (try sudo npm test)';
const needsDocker = () =>
  find('docker')
    ? needsRoot()
    : 'needs the official docker CLI (Debian: apt-get install docker.io)';

const suites = [
  check('setup', [process.execPath, 'scripts/ensure.mjs', '--for', 'test'], { fatal: true }),
  ...STATIC_CHECKS,
  check('page size', ['npm', 'run', '--silent', 'check:size']),
  vitest('unit', ['unit']),
  vitest('web', ['web']),
  vitest('kernel', ['kernel'], { needs: needsRoot }),
  vitest('docker-cli', ['docker-cli'], { needs: needsDocker }),
  vitest('crash-matrix', ['crash-matrix'], { needs: needsDocker }),
  vitest('lessons', ['lessons'], { needs: needsRoot }),
  playwright('e2e-web', 'web'),
  playwright('e2e-live', 'live', { needs: needsRoot }),
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    `unknown suite ${unknown.join(', ')}; there are: ${suites.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
await runSuites(asked.length > 0 ? suites.filter(({ name }) => asked.includes(name)) : suites);
