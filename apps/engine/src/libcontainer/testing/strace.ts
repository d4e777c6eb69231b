/** strace(1) as the second witness: what the kernel was asked, call by call, to be held against what the trace tells. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SyscallEvent } from '../../protocol/trace/event.ts';

export const hasStrace = spawnSync('strace', ['-V']).status === 0;

/** One system call of one process. */
export interface SeenCall {
  readonly pid: number;
  readonly name: string;
  readonly text: string;
  /** What it returned; -1 for an error; null for a call that did not return. */
  readonly result: number | null;
  readonly errno: string | null;
}

/** Follows everything that this process clones, until the returned function is called. */
export const straceOwnChildren = async (
  file: string,
): Promise<() => Promise<readonly SeenCall[]>> => {
  const strace = spawn(
    'strace',
    ['-f', '-qq', '-v', '-s', '4096', '-o', file, '-p', String(process.pid), '-e', 'signal=none'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  // Nobody tells us that we are being followed, but the kernel, when asked.
  while (/^TracerPid:\s*0$/m.test(readFileSync('/proc/self/status', 'utf8'))) await sleep(10);
  return async () => {
    const detached = new Promise((resolve) => strace.once('exit', resolve));
    strace.kill('SIGINT');
    await detached;
    return parseStrace(readFileSync(file, 'utf8'));
  };
};

/** Joins the halves of calls that others interrupted; the beginning says when. */
export const parseStrace = (output: string): readonly SeenCall[] => {
  const calls: { pid: number; name: string; text: string }[] = [];
  const unfinished = new Map<number, { pid: number; name: string; text: string }>();
  for (const line of output.split('\n')) {
    const [, pidText, rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const pid = Number(pidText);
    const [, resumed] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? [];
    if (resumed !== undefined) {
      const begun = unfinished.get(pid);
      if (begun) begun.text += resumed;
      unfinished.delete(pid);
      continue;
    }
    const [, name, text] = /^(\w+)\((.*)$/.exec(rest) ?? [];
    if (name === undefined || text === undefined) continue;
    const call = { pid, name, text: text.replace(/ <unfinished \.\.\.>$/, '') };
    if (text.endsWith('<unfinished ...>')) unfinished.set(pid, call);
    calls.push(call);
  }
  return calls.map((call) => ({ ...call, ...resultIn(call.text) }));
};

const resultIn = (text: string): Pick<SeenCall, 'result' | 'errno'> => {
  const [, result, errno] =
    /\)\s+= (-?\d+|0x[0-9a-f]+)(?:<[^>]*>)?(?: (E[A-Z0-9]+))?/.exec(text) ?? [];
  // umask(2) is answered in octal.
  const value = result?.replace(/^0(?=\d)/, '0o');
  return { result: value === undefined ? null : Number(value), errno: errno ?? null };
};

/** The helper's own business, which is no step: see native/src/helper. */
const OWN = new Set(['clock_gettime', 'getpid', 'rt_sigaction', 'fstat', 'mmap', 'fcntl']);

/** Between the helper's first instruction and the program's; for runc itself to its end. */
export const stepsIn = (seen: readonly SeenCall[], pid: number): readonly SeenCall[] => {
  const own = seen.filter((call) => call.pid === pid && !OWN.has(call.name));
  const first = own.findIndex(
    ({ name, text }) => name === 'prctl' && text.startsWith('PR_SET_NAME'),
  );
  const calls = own
    .slice(first + 1)
    .filter(({ name, text }) => !(name === 'write' && text.startsWith('4, ')));
  // runc has read the plan and lets go of it.
  if (calls[0]?.name === 'close' && /^3\b/.test(calls[0].text)) calls.shift();
  const end = calls.findIndex(
    ({ name, result }) => name === 'exit_group' || (name === 'execve' && result === 0),
  );
  if (end < 0) return calls;
  return calls.slice(0, calls[end]?.name === 'execve' ? end + 1 : end);
};

/** One write of a file of the kernel's is told as one step: it is three calls. */
interface ToldCall {
  readonly name: string;
  readonly detail: string;
  /** Undefined where the step's result is another call's. */
  readonly result?: number;
  readonly errno: string | null;
}

const FAILED_OPEN = new Set(['ENOENT', 'EACCES', 'EPERM']);

/** The calls that the events of one process speak of, in their order. */
export const callsTold = (events: readonly SyscallEvent[]): readonly ToldCall[] =>
  events
    .toSorted((a, b) => (BigInt(a.mono) < BigInt(b.mono) ? -1 : 1))
    .flatMap(({ name, detail, result, errno }): ToldCall[] => {
      if (name !== 'write' || !detail.startsWith('write(/'))
        return [{ name, detail, result, errno }];
      const [, path = '', data = ''] = /^write\(([^,]*), (.*)\)$/s.exec(detail) ?? [];
      const open = { name: 'openat', detail: `openat(${JSON.stringify(path)})`, errno: null };
      if (errno !== null && FAILED_OPEN.has(errno)) return [{ ...open, errno, result }];
      return [
        open,
        { name: 'write', detail: `write(${data})`, result, errno },
        { name: 'close', detail: 'close()', errno: null },
      ];
    });

/** Where the two witnesses disagree: in number or order of calls, in arguments that matter, or in a result. */
export const differences = (
  seen: readonly SeenCall[],
  told: readonly ToldCall[],
): readonly string[] => {
  const found: string[] = [];
  for (let index = 0; index < Math.max(seen.length, told.length); index += 1) {
    const [theirs, ours] = [seen[index], told[index]];
    if (!theirs || !ours || theirs.name !== ours.name) {
      found.push(
        `call ${index}: strace saw ${show(theirs)}, the trace tells ${ours?.detail ?? 'nothing'}`,
      );
      // What follows would only be the same difference again.
      return found;
    }
    const what = differenceOf(theirs, ours);
    if (what !== null)
      found.push(
        `call ${index}: ${what}: strace saw ${show(theirs)}, the trace tells ${ours.detail}`,
      );
  }
  return found;
};

const show = (call: SeenCall | undefined): string =>
  call ? `${call.name}(${call.text}` : 'nothing';

const differenceOf = (seen: SeenCall, told: ToldCall): string | null => {
  if ((seen.errno ?? null) !== told.errno) return `error ${told.errno}`;
  // An execve that worked has no result for anybody but strace.
  if (
    told.result !== undefined &&
    seen.result !== null &&
    told.errno === null &&
    seen.result !== told.result
  )
    return `result ${told.result}`;
  const missing = argumentsThatMatter(asStraceShows(told.detail, seen)).find(
    (argument) => !seen.text.includes(argument),
  );
  return missing === undefined ? null : `argument ${missing}`;
};

/** The kernel does not look at the type of a mount that is a bind, and strace shows an address there. */
const asStraceShows = (detail: string, { name, text }: SeenCall): string =>
  name === 'mount' && /, 0x[0-9a-f]+, MS_/.test(text)
    ? detail.replace(/, "[^"]*", MS_/, ', MS_')
    : detail;

/** Strings and named flags. Not: places that only the running process knows (`<slot>`), and texts that were shortened. */
const argumentsThatMatter = (detail: string): readonly string[] => {
  const strings = [...detail.matchAll(/"(?:[^"\\]|\\.)*"/g)]
    .map(([text]) => text)
    .filter((text) => !text.includes('<') && !text.includes('…'));
  const flags =
    detail.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').match(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g) ?? [];
  return [...strings, ...flags];
};
