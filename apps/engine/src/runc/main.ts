/**
 * The OCI runtime as a command: runs, does one thing, exits. The shim has the same things done without this detour.
 * Upstream: runc main.go.
 */
import { native } from '../native/load.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { parseTraceparent, withContext } from '../tracing/context.ts';
import { exporterFromEnvironment } from '../tracing/exporter.ts';
import { Tracer } from '../tracing/tracer.ts';
import { type CommandLine, parseCommandLine, type GlobalOptions } from './command-line.ts';
import { create } from './create.ts';
import { withDebugLog } from './debug-log.ts';
import { remove } from './delete.ts';
import { events } from './events.ts';
import { exec } from './exec.ts';
import { features } from './features.ts';
import { helpOf, mainHelp } from './help.ts';
import { kill } from './kill.ts';
import { list } from './list.ts';
import { logError } from './log.ts';
import { pause, resume } from './pause.ts';
import { ps } from './ps.ts';
import { run } from './run.ts';
import { spec } from './spec.ts';
import { start } from './start.ts';
import { state } from './state.ts';
import { update } from './update.ts';
import type { Verb } from './verb.ts';
import { COMMIT, SPEC_VERSION, VERSION } from './version.ts';

const VERBS: ReadonlyMap<string, Verb> = new Map([
  ['create', create],
  ['start', start],
  ['state', state],
  ['kill', kill],
  ['delete', remove],
  ['exec', exec],
  ['list', list],
  ['ps', ps],
  ['pause', pause],
  ['resume', resume],
  ['run', run],
  ['update', update],
  ['events', events],
  ['spec', spec],
  ['features', features],
]);

/** They need CRIU, which takes a process apart and puts it together again. */
const NOT_SUPPORTED = new Set(['checkpoint', 'restore']);
/** As upstream's library for command lines answers an unknown word. */
const NO_SUCH_VERB = 3;

/** The verb, or `` for the page of all of them. */
const helpAskedFor = ({ verb, rest, help: asked }: CommandLine): string | null => {
  const [first = ''] = rest;
  if (asked || verb === null) return '';
  if (verb === 'help' || verb === 'h') return first;
  // Behind the verb's first word it may be meant for a program: `exec ID ls -h`.
  return ['-h', '--h', '-help', '--help'].includes(first) ? verb : null;
};

const help = (verb: string, options: GlobalOptions): number => {
  const page = verb === '' ? mainHelp() : helpOf(verb);
  if (page === null) {
    logError(`No help topic for '${verb}'`, options);
    return NO_SUCH_VERB;
  }
  process.stdout.write(page);
  return 0;
};

const main = async (
  argv: readonly string[],
  settle: (global: GlobalOptions) => void,
): Promise<number> => {
  const line = parseCommandLine(argv);
  settle(line.global);
  if (line.version) {
    process.stdout.write(`runc version ${VERSION}\ncommit: ${COMMIT}\nspec: ${SPEC_VERSION}\n`);
    return 0;
  }
  const page = helpAskedFor(line);
  if (page !== null) return help(page, line.global);
  const verb = VERBS.get(line.verb ?? '');
  if (NOT_SUPPORTED.has(line.verb ?? ''))
    throw new EngineError('invalid_argument', `runc: ${line.verb} is not supported`);
  if (!verb) return help(line.verb ?? '', line.global);
  const exporter = exporterFromEnvironment();
  const tracer = new Tracer(
    'runc',
    line.debug ? withDebugLog(exporter, line.verb ?? '', line.global) : exporter,
  );
  const parent = parseTraceparent(process.env['TRACEPARENT']);
  try {
    const code = await withContext(parent, () =>
      verb({ native, tracer, global: line.global, rest: line.rest }),
    );
    return code ?? 0;
  } finally {
    await tracer.flush();
  }
};

let global: Pick<GlobalOptions, 'log' | 'logFormat'> = { log: null, logFormat: 'text' };
main(process.argv.slice(2), (parsed) => (global = parsed)).then(
  // A created container is still being listened to; this process is done with it.
  (code) => process.exit(code),
  (error: unknown) => {
    logError(messageOf(error), global);
    process.exit(1);
  },
);
