/** `docker` in small, for machines without the official client: the same requests, the same exit codes. */
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { images, logs, ps, rm, stop, version, type Command } from './commands.ts';
import { DaemonError, EngineApi } from './engine-api.ts';
import { run } from './run.ts';

const COMMANDS: Readonly<Record<string, Command>> = { run, ps, logs, stop, rm, images, version };
const USAGE = `Usage: docker COMMAND

Commands: ${Object.keys(COMMANDS).join(' ')}

This is Engine Room's small client. DOCKER_HOST names the daemon's socket.
`;

const main = async (): Promise<number> => {
  const [name, ...words] = process.argv.slice(2);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const command = COMMANDS[name];
  if (!command) {
    process.stderr.write(`docker: unknown command: docker ${name}\n\n${USAGE}`);
    return 1;
  }
  const isRun = name === 'run';
  try {
    const api = new EngineApi();
    await api.negotiate();
    return await command(api, words);
  } catch (error) {
    const prefix = error instanceof DaemonError ? 'Error response from daemon: ' : '';
    process.stderr.write(
      `${isRun || error instanceof EngineError ? 'docker: ' : ''}${prefix}${messageOf(error)}\n`,
    );
    return isRun ? 125 : 1;
  }
};

// Whoever reads us may stop reading (`| head`).
process.stdout.on('error', () => process.exit(141));
void main().then((code) => {
  process.exitCode = code;
});
