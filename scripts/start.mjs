/**
 * `npm start`: installs and builds what is missing, then becomes the lab, which starts the daemons and stays in the
 * foreground. Where containers cannot be started, the page still works, on recorded runs, and says why.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ensure } from './ensure.mjs';
import { Lack } from './system-needs.mjs';

const LAB = fileURLToPath(new URL('../apps/engine/dist/lab.cjs', import.meta.url));
const OPTIONS = new URL('../apps/engine/src/lab/options.ts', import.meta.url);
const args = process.argv.slice(2);

/** Help must not cost an installation, so it is read from where the lab has it. */
function printHelp() {
  const [, help = ''] = /HELP = `([\s\S]*?)`;/.exec(readFileSync(OPTIONS, 'utf8')) ?? [];
  process.stdout.write(help);
}

async function prepare() {
  if (process.platform === 'linux' && process.getuid() === 0) {
    try {
      return await ensure('start');
    } catch (error) {
      if (!(error instanceof Lack) || error.isVital) throw error;
      process.stderr.write(
        `\n${error.message}\n\nWithout that no container can be started; the page comes with recorded runs.\n`,
      );
    }
  }
  return ensure('recorded');
}

if (args.includes('--help') || args.includes('-h')) {
  printHelp();
} else {
  try {
    await prepare();
    // The lab takes over this process: Ctrl-C reaches it directly.
    createRequire(import.meta.url)(LAB);
  } catch (error) {
    if (!(error instanceof Lack)) throw error;
    process.stderr.write(`\n${error.message}\n\nnpm run doctor says more about this machine.\n`);
    process.exitCode = 1;
  }
}
