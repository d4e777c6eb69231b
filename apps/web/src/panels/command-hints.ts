/** What can be said of a command line before it is sent. The lab decides; this only saves a round trip. */
import { t } from '../messages/catalogue.ts';
import { PAGE_COMMANDS } from './page-commands.ts';

export interface Hint {
  readonly message: string;
  readonly position: number | null;
}

/** No shell reads the line, so outside of quotes these can only be a mistake. */
const SHELL_CHARACTERS = new Set(['|', '&', ';', '<', '>', '`', '$', '(', ')']);

export const hintFor = (command: string): Hint | null => {
  const line = command.trim();
  if (line === '')
    return {
      message: t().command.empty,
      position: null,
    };
  const open = openQuote(command);
  if (open !== null) return { message: t().command.openQuote, position: open };
  const shell = shellCharacter(command);
  if (shell !== null) {
    return {
      message: t().command.noShell(command[shell] ?? ''),
      position: shell,
    };
  }
  const [program, verb] = line.split(/\s+/);
  if (program !== 'docker')
    return {
      message: t().command.notDocker,
      position: command.indexOf(program ?? ''),
    };
  if (verb === undefined)
    return {
      message: t().command.noVerb(PAGE_COMMANDS.slice(0, 4).join(', ')),
      position: command.length,
    };
  if (!verb.startsWith('-') && !PAGE_COMMANDS.includes(verb)) {
    return {
      message: t().command.notAllowed(PAGE_COMMANDS.join(', '), verb),
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
