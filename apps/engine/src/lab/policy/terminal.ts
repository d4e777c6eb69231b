/** What the page's terminal may open: `docker exec -it`, into a container of one's own. */
import { isOn } from './flags.ts';
import { refuse, understand, type Refused } from './policy.ts';

export interface TerminalWish {
  readonly container: string;
  readonly command: readonly string[];
  readonly user: string | null;
  readonly workdir: string | null;
}

export const decideTerminal = (line: string): TerminalWish | Refused => {
  const spoken = understand(line);
  if ('allowed' in spoken) return spoken;
  const { name, parsed, rest } = spoken;
  const { set, args, positionOf } = parsed;
  const at = rest[0]?.position;
  if (name !== 'exec')
    return refuse(403, 'only docker exec gets a terminal: start the container with -d first', at);
  if (!isOn(set.get('interactive')) || !isOn(set.get('tty')) || isOn(set.get('detach')))
    return refuse(400, 'a terminal is docker exec -it, without -d', at);
  // Of several only the last would be known here.
  if (set.has('env'))
    return refuse(
      403,
      'set the environment inside: docker exec -it NAME env A=b sh',
      positionOf.get('env'),
    );
  const [container, ...command] = args;
  if (container === undefined || command.length === 0)
    return refuse(400, 'docker exec -it what? For example: docker exec -it NAME sh', line.length);
  return {
    container,
    command,
    user: set.get('user') ?? null,
    workdir: set.get('workdir') ?? null,
  };
};
