/** What can be said of a command line before it is sent. The lab decides; this only saves a round trip. */
export interface Hint {
  readonly message: string;
  readonly position: number | null;
}

const COMMANDS = new Set([
  'run',
  'create',
  'start',
  'ps',
  'logs',
  'inspect',
  'wait',
  'stop',
  'kill',
  'restart',
  'pause',
  'unpause',
  'exec',
  'top',
  'stats',
  'diff',
  'rename',
  'update',
  'rm',
  'images',
  'version',
  'info',
]);
/** No shell reads the line, so outside of quotes these can only be a mistake. */
const SHELL_CHARACTERS = new Set(['|', '&', ';', '<', '>', '`', '$', '(', ')']);

export const hintFor = (command: string): Hint | null => {
  const line = command.trim();
  if (line === '')
    return {
      message: 'Type a command, for example: docker run --rm busybox echo hello',
      position: null,
    };
  const open = openQuote(command);
  if (open !== null) return { message: 'This quote is not closed', position: open };
  const shell = shellCharacter(command);
  if (shell !== null) {
    return {
      message: `No shell reads this line, so “${command[shell] ?? ''}” has no meaning here; quote it for a shell inside: sh -c '…'`,
      position: shell,
    };
  }
  const [program, verb] = line.split(/\s+/);
  if (program !== 'docker')
    return {
      message: 'The command must begin with docker',
      position: command.indexOf(program ?? ''),
    };
  if (verb === undefined)
    return {
      message: `docker what? For example: ${[...COMMANDS].slice(0, 4).join(', ')}`,
      position: command.length,
    };
  if (!verb.startsWith('-') && !COMMANDS.has(verb)) {
    return {
      message: `The page may run ${[...COMMANDS].join(', ')}; “${verb}” goes through your own terminal`,
      position: command.indexOf(verb),
    };
  }
  return null;
};

/** Where the quote begins that nothing closes. */
function openQuote(command: string): number | null {
  let quote = '';
  let openedAt = 0;
  for (let i = 0; i < command.length; i += 1) {
    const char = command[i] ?? '';
    if (char === '\\' && quote !== "'") i += 1;
    else if (quote !== '') quote = quote === char ? '' : quote;
    else if (char === '"' || char === "'") {
      quote = char;
      openedAt = i;
    }
  }
  return quote === '' ? null : openedAt;
}

function shellCharacter(command: string): number | null {
  let quote = '';
  for (let i = 0; i < command.length; i += 1) {
    const char = command[i] ?? '';
    if (char === '\\' && quote !== "'") i += 1;
    else if (quote !== '') quote = quote === char ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (SHELL_CHARACTERS.has(char)) return i;
  }
  return null;
}
