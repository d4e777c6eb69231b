/** `npm run verify`: the checks that read the repository without running it. The same list as in `npm test`. */
import { runSuites } from './run-suites.mjs';
import { STATIC_CHECKS } from './static-checks.mjs';

await runSuites(STATIC_CHECKS);
