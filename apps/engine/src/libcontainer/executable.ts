/**
 * The container's program: looked up before the container waits, so that `create` can say what is wrong; run after it.
 * execve(2), access(2), environ(7). Upstream: runc libcontainer/standard_init_linux.go.
 */
import { posix } from 'node:path';
import { type Compilation, SLOT } from './compilation.ts';
import { AT, F_OK, openFlags, X_OK } from './plan/constants.ts';
import { ERRNO, errnoSentence } from './plan/errno.ts';
import {
  AT_FDCWD,
  flags,
  number,
  stringVector,
  struct,
  text,
  type ShownArgument,
} from './plan/stage-builder.ts';

/** What execvp(3) passes over on its way through PATH. */
const PASSED_OVER = [ERRNO.ENOENT, ERRNO.EACCES, ERRNO.ENOTDIR, ERRNO.ELOOP] as const;
/** A PATH with thousands of entries would be a plan with thousands of steps. */
const LONGEST_PATH = 64;

const environment = (c: Compilation): readonly string[] => {
  const env = c.process.env ?? [];
  // A hook gets what config.json names and nothing else.
  if (c.executable !== undefined) return env;
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${c.home}`];
};

/** A hook names its program apart from its arguments. */
const nameOf = (c: Compilation): string => c.executable ?? c.process.args[0] ?? '';

/** A name with a slash is a path; any other is looked for in each folder of PATH. */
export const candidates = (c: Compilation): readonly string[] => {
  const name = nameOf(c);
  if (name.includes('/')) return [name];
  const path =
    [...(c.process.env ?? [])]
      .reverse()
      .find((entry) => entry.startsWith('PATH='))
      ?.slice('PATH='.length) ?? '';
  if (name === '' || path === '') return [];
  const folders = [...new Set(path.split(':'))].slice(0, LONGEST_PATH);
  return folders
    .map((folder) => posix.join(folder === '' ? '.' : folder, name))
    .map((file) => (file.includes('/') ? file : `./${file}`));
};

export const lookUpExecutable = (c: Compilation): void => {
  const paths = candidates(c);
  if (nameOf(c).includes('/')) lookUpPath(c, nameOf(c));
  else lookUpName(c, paths);
};

/**
 * access(2) looks with the real user's eyes, and they are the effective one's here, unless it has a capability that opens
 * what its user may not. Only then faccessat2(2) is needed; seccomp policies of some age forbid it.
 */
const seesMoreThanItsUser = ({ process }: Compilation): boolean =>
  process.user.uid !== 0 &&
  ['CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH'].some((name) =>
    (process.capabilities?.effective ?? []).includes(name),
  );

const checkAccess = (
  c: Compilation,
  { path, mode = number(X_OK, 'X_OK') }: { readonly path: string; readonly mode?: ShownArgument },
  words: Parameters<Compilation['init']['call']>[2],
): void => {
  const asked = [AT_FDCWD, text(path), mode];
  if (!seesMoreThanItsUser(c)) {
    c.init.call('faccessat', asked, words);
    return;
  }
  const { AT_EACCESS } = AT;
  const passedOver = (words.ignore ?? []).filter((errno) => errno !== ERRNO.ELOOP);
  c.init.call('faccessat2', [...asked, flags({ AT_EACCESS }, AT_EACCESS)], {
    ...words,
    ignore: [...passedOver, ERRNO.EPERM],
  });
  c.init.call('faccessat', asked, {
    ...words,
    title: 'the policy forbids that question: ask it as the user alone',
    guard: { kind: 'ifPreviousFailedWith', errno: ERRNO.EPERM },
  });
};

const lookUpPath = (c: Compilation, path: string): void => {
  const { O_PATH, O_DIRECTORY, O_CLOEXEC } = openFlags(c.facts.architecture);
  checkAccess(
    c,
    { path, mode: number(F_OK, 'F_OK') },
    {
      title: `is there a file ${path}?`,
      object: 'process',
      source: __SOURCE__,
      reference: 'man:access(2)',
      purpose: 'stat executable',
    },
  );
  checkAccess(
    c,
    { path },
    {
      title: 'may it be run?',
      object: 'process',
      source: __SOURCE__,
      reference: 'man:access(2)',
      purpose: 'lookup executable',
    },
  );
  // A folder has an x bit, too, and cannot be run.
  c.init.call(
    'openat',
    [
      AT_FDCWD,
      text(path),
      flags({ O_PATH, O_DIRECTORY, O_CLOEXEC }, O_PATH | O_DIRECTORY | O_CLOEXEC),
    ],
    {
      title: `${path} should not be a folder`,
      object: 'process',
      source: __SOURCE__,
      reference: 'man:open(2)',
      ignore: [ERRNO.ENOTDIR],
      resultSlot: SLOT.isDirectory,
      purpose: 'lookup executable',
    },
  );
  c.init.call('execve', [text(path), ...vectors(c)], {
    title: `${path} is a folder: running it can only fail`,
    object: 'process',
    source: __SOURCE__,
    reference: 'man:execve(2)',
    guard: { kind: 'ifFilled', slot: SLOT.isDirectory },
    purpose: 'lookup executable',
  });
};

const lookUpName = (c: Compilation, paths: readonly string[]): void => {
  for (const path of paths) {
    checkAccess(
      c,
      { path },
      {
        title: `is there a program ${path}?`,
        object: 'process',
        source: __SOURCE__,
        reference: 'man:access(2)',
        ignore: PASSED_OVER,
        guard: { kind: 'unlessFilled', slot: SLOT.executable },
        resultSlot: SLOT.executable,
        purpose: 'lookup executable',
      },
    );
  }
  // Asked once more without forgiveness, so that the plan ends here when nothing was found.
  checkAccess(
    c,
    { path: paths.at(-1) ?? '' },
    {
      title: `no folder of PATH has a program ${nameOf(c)}`,
      object: 'process',
      source: __SOURCE__,
      reference: 'man:environ(7)',
      guard: { kind: 'unlessFilled', slot: SLOT.executable },
      purpose: 'lookup executable',
    },
  );
};

const vectors = (c: Compilation): readonly ShownArgument[] => {
  const env = environment(c);
  return [
    stringVector(c.process.args, JSON.stringify(c.process.args)),
    stringVector(env, `[/* ${env.length} variables */]`),
  ];
};

/** The last step: on success nobody is left to write a record, and the record pipe closes. */
export const execute = (c: Compilation): void => {
  const paths = candidates(c);
  const [argv, env] = vectors(c);
  if (!argv || !env) return;
  paths.forEach((path, index) => {
    const isLast = index === paths.length - 1;
    c.init.call('execve', [text(path), argv, env], {
      title: `${path} takes over: the container's program runs`,
      object: 'process',
      level: 'chapter',
      source: __SOURCE__,
      reference: 'man:execve(2)',
      // Tried in the order of PATH, as the look-up did; the last one must not be passed over.
      ignore: isLast ? [ERRNO.ENOEXEC] : PASSED_OVER,
      purpose: 'execve',
      attributes: { 'process.executable.path': path, 'process.command_args': c.process.args },
    });
    if (isLast) sayExecFormatError(c, path);
  });
};

/** Only this error is common after the look-up (a script without `#!`, another architecture): the container's log tells it. */
const sayExecFormatError = (c: Compilation, path: string): void => {
  const sentence = new TextEncoder().encode(`exec ${path}: ${errnoSentence(ERRNO.ENOEXEC)}\n`);
  c.init.call(
    'write',
    [
      number(2),
      struct({ bytes: sentence }, JSON.stringify(new TextDecoder().decode(sentence))),
      number(sentence.length),
    ],
    {
      title: "leave a word in the container's output",
      object: 'stdio',
      source: __SOURCE__,
      reference: 'man:write(2)',
      guard: { kind: 'ifPreviousFailedWith', errno: ERRNO.ENOEXEC },
      purpose: 'execve',
    },
  );
  c.init.call('exit_group', [number(1)], {
    title: 'give up',
    object: 'process',
    source: __SOURCE__,
    reference: 'man:exit_group(2)',
    purpose: 'execve',
  });
};
