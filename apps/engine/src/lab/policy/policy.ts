/**
 * What the page may launch: a command line becomes the argv of a Docker client, or an explanation.
 * Distinct from the engine's socket, which is as good as root: the page is for people who shall not be root.
 */
import { COMMANDS, isOn, networkOwner, volumeOf, type Command, type Flag } from './flags.ts';
import { LEARNER_LABEL, LIMITS } from './limits.ts';
import { REASONS } from './reasons.ts';
import { splitWords, type Word } from './shell-words.ts';

export interface Allowed {
  readonly allowed: true;
  /** `docker`, the command, what was added, what was typed. */
  readonly argv: readonly string[];
  readonly injected: readonly string[];
  readonly command: string;
  /** Containers that the command acts upon; whose they are only the engine knows. */
  readonly containers: readonly string[];
  readonly createsContainer: boolean;
  /** Volumes that it uses, which have to be there and the learner's. */
  readonly volumes: readonly string[];
  readonly createsVolume: boolean;
  /** The container's own output is what the client prints. */
  readonly printsContainer: boolean;
}

export interface Refused {
  readonly allowed: false;
  /** 400: it is not a command (yet). 403: it is one, and not for the page. */
  readonly status: 400 | 403;
  readonly message: string;
  readonly position?: number;
}

export const refuse = (status: 400 | 403, message: string, position?: number): Refused => ({
  allowed: false,
  status,
  message,
  ...(position === undefined ? {} : { position }),
});

export const decide = (line: string, learnerId: string): Allowed | Refused => {
  const spoken = understand(line);
  return 'allowed' in spoken ? spoken : complete({ ...spoken, learnerId }, spoken.parsed);
};

interface Understood {
  readonly name: string;
  readonly command: Command;
  readonly rest: readonly Word[];
  readonly parsed: Parsed;
}

/** A command of the table with flags of the table, or why not. */
export const understand = (line: string): Understood | Refused => {
  const words = splitWords(line);
  if ('problem' in words)
    return refuse(words.isUnfinished ? 400 : 403, words.problem, words.position);
  const [program, ...spoken] = words;
  if (!program)
    return refuse(400, 'type a docker command, for example: docker run --rm busybox echo hello', 0);
  if (program.text !== 'docker') {
    return refuse(
      403,
      `only docker commands can be sent from here, not "${program.text}": ${NO_SHELL}`,
      program.position,
    );
  }
  const { name, rest } = commandOf(spoken);
  if (!name) return refuse(400, `docker what? The page knows: ${known()}`, line.length);
  if (name.text.startsWith('-')) {
    return refuse(
      403,
      'options before the command choose another engine; the page speaks to this one',
      name.position,
    );
  }
  const command = Object.hasOwn(COMMANDS, name.text) ? COMMANDS[name.text] : undefined;
  if (!command)
    return refuse(
      403,
      `"docker ${name.text}" cannot be sent from the page, which knows: ${known()}`,
      name.position,
    );
  const parsed = parseFlags(command, rest);
  return 'allowed' in parsed ? parsed : { name: name.text, command, rest, parsed };
};

/** `docker volume create`: two words name a command, one of them several. */
const commandOf = (
  words: readonly Word[],
): { readonly name: Word | undefined; readonly rest: readonly Word[] } => {
  const [first, second, ...rest] = words;
  const isPair = first && second && Object.hasOwn(COMMANDS, `${first.text} ${second.text}`);
  return isPair
    ? { name: { ...first, text: `${first.text} ${second.text}` }, rest }
    : { name: first, rest: words.slice(1) };
};

const NO_SHELL = 'no shell reads this line';
const known = (): string => Object.keys(COMMANDS).join(', ');

interface Parsed {
  /** Flag name → its last value (`true` for a switch without one). */
  readonly set: ReadonlyMap<string, string>;
  readonly positionOf: ReadonlyMap<string, number>;
  readonly args: readonly string[];
}

/** pflag's rules: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-abn value`, and `--` ends it. */
const parseFlags = (command: Command, words: readonly Word[]): Parsed | Refused => {
  const set = new Map<string, string>();
  const positionOf = new Map<string, number>();
  const args: string[] = [];
  const take = (flag: Flag, value: string, position: number): Refused | null => {
    // docker takes several of these; whose each of them is would have to be asked.
    if (['network', 'volume'].includes(flag.name) && set.has(flag.name))
      return refuse(403, `from the page a container may have one ${flag.name}`, position);
    const problem = flag.check?.(value) ?? null;
    if (problem !== null) return refuse(403, problem, position);
    set.set(flag.name, value);
    positionOf.set(flag.name, position);
    return null;
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (!word) break;
    const { text, position } = word;
    if (text === '--') {
      for (const later of words.slice(at + 1)) args.push(later.text);
      break;
    }
    if (!text.startsWith('-') || text === '-') {
      if (command.flagsEndAtArgument) {
        for (const later of words.slice(at)) args.push(later.text);
        break;
      }
      args.push(text);
      continue;
    }
    const spelled = text.startsWith('--') ? spellLong(text) : spellShort(command, text);
    for (const { spelling, inline } of spelled) {
      const flag = Object.hasOwn(command.flags, spelling) ? command.flags[spelling] : undefined;
      if (!flag)
        return refuse(
          403,
          REASONS[spelling] ?? `the page does not allow ${spelling} here`,
          position,
        );
      const next = flag.takesValue && inline === null ? words[++at] : undefined;
      // A missing value is the client's to complain about: nothing can follow, so nothing slips by.
      if (flag.takesValue && inline === null && !next) break;
      const refused = take(flag, inline ?? next?.text ?? 'true', next?.position ?? position);
      if (refused) return refused;
    }
  }
  return { set, positionOf, args };
};

interface Spelled {
  readonly spelling: string;
  readonly inline: string | null;
}

const spellLong = (text: string): readonly Spelled[] => {
  const equals = text.indexOf('=');
  return [
    equals < 0
      ? { spelling: text, inline: null }
      : { spelling: text.slice(0, equals), inline: text.slice(equals + 1) },
  ];
};

/** `-it` is two switches; `-m256m` and `-m=256m` are one flag with its value. */
const spellShort = (command: Command, text: string): readonly Spelled[] => {
  const spelled: Spelled[] = [];
  for (let at = 1; at < text.length; at++) {
    const spelling = `-${text.charAt(at)}`;
    const flag = Object.hasOwn(command.flags, spelling) ? command.flags[spelling] : undefined;
    const rest = text.slice(at + 1);
    if (rest.startsWith('=')) return [...spelled, { spelling, inline: rest.slice(1) }];
    if (!flag || flag.takesValue)
      return [...spelled, { spelling, inline: rest === '' ? null : rest }];
    spelled.push({ spelling, inline: null });
  }
  return spelled;
};

const CONTAINERS = {
  none: (): readonly string[] => [],
  first: (args: readonly string[]) => args.slice(0, 1),
  all: (args: readonly string[]) => args,
} as const;

interface Typed {
  readonly name: string;
  readonly command: Command;
  readonly rest: readonly Word[];
  readonly learnerId: string;
}

const complete = (
  { name, command, rest, learnerId }: Typed,
  { set, positionOf, args }: Parsed,
): Allowed | Refused => {
  const runsProgram = command.createsContainer || name === 'exec';
  if (runsProgram && isOn(set.get('interactive')) && isOn(set.get('tty'))) {
    return refuse(
      403,
      '-i with -t wants a terminal, and a request has none: leave out -t, or use docker exec -it in the page’s terminal',
      positionOf.get('tty'),
    );
  }
  // Help is asked of the client alone.
  const problem = isOn(set.get('help')) ? null : command.check(set, args);
  if (problem !== null) return refuse(403, problem, rest[0]?.position);
  const injected = injectedFlags(command, set, learnerId);
  const isDetached = isOn(set.get('detach'));
  const owner = networkOwner(set.get('network'));
  const volume = volumeOf(set.get('volume'));
  return {
    allowed: true,
    argv: ['docker', ...name.split(' '), ...injected, ...rest.map(({ text }) => text)],
    injected,
    command: name,
    containers: [
      ...CONTAINERS[command.namesContainers](args),
      ...(owner === undefined ? [] : [owner]),
    ],
    createsContainer: command.createsContainer,
    volumes: [...(command.namesVolumes ? args : []), ...(volume === undefined ? [] : [volume])],
    createsVolume: command.createsVolume,
    printsContainer:
      ((name === 'run' || name === 'exec') && !isDetached) ||
      (name === 'start' && isOn(set.get('attach'))),
  };
};

const injectedFlags = (
  { createsContainer, createsVolume, lists }: Command,
  set: ReadonlyMap<string, string>,
  learnerId: string,
): readonly string[] => {
  const label = `${LEARNER_LABEL}=${learnerId}`;
  // What is listed has to match all label filters, so that one more, typed, can only show fewer.
  if (lists) return ['--filter', `label=${label}`];
  if (createsVolume) return ['--label', label];
  if (!createsContainer) return [];
  return [
    ...(set.has('memory') ? [] : ['--memory', LIMITS.memory.standard]),
    ...(set.has('pids-limit') ? [] : ['--pids-limit', LIMITS.pids.standard]),
    ...(set.has('cpus') ? [] : ['--cpus', LIMITS.cpus.standard]),
    '--label',
    label,
  ];
};
