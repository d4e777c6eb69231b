/** Takes out of what `ctr` printed whatever two runs of the same program would not agree on either. */
import type { Answer, Containerd } from './containerds.ts';

/** Labels come out of a map of Go, in any order. */
const sortLabels = (labels: string): string => labels.split(',').sort().join(',');

const RULES: readonly (readonly [RegExp, string])[] = [
  // Tables are padded to the widest cell.
  [/[ \t]+$/gm, ''],
  [/[ \t]{2,}|\t/g, '  '],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4} UTC| UTC|Z|[+-]\d\d:\d\d)?/g, '<time>'],
  [/\b(Less than a second|About a minute|\d+ (seconds?|minutes?))\b/g, '<age>'],
  [/\belapsed: *[\d.]+ *m?s/g, 'elapsed: <time>'],
  [/total: *[\d.]+ *[KMi]*B? *\([\d.]+ *[KMi]*B\/s\)/g, 'total: <size>'],
  [/\([\d.]+ *[KMi]*B\/s\)/g, '<speed>'],
  [/done: [\d.]+m?s/g, 'done: <time>'],
  [/snapshots\/\d+\//g, 'snapshots/<n>/'],
  // ctr draws its progress at times of its own, and may be asking when the pull ends.
  [/^time="[^"]*" level=error msg="active check failed" error="context canceled"\n?/gm, ''],
  [/\bpid"?: ?\d+/g, 'pid: <pid>'],
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>'],
  [/(extract|parent-view)-\d+-[\w-]+/g, '$1-<random>'],
  [/fifo\/\d+\//g, 'fifo/<random>/'],
  // Upstream's database prefixes its keys.
  [/requested snapshot \w+\/\d+\//g, 'requested snapshot '],
  // ctr gives these options to shims of runc alone.
  [/,?"options":\{"type_url":"containerd.runc.v1.Options"\}/g, ''],
  [/"Options": (null|\{\s*"type_url": "containerd.runc.v1.Options"\s*\})/g, '"Options": <options>'],
  // What a task used, and who the server is.
  [/^(memory\.usage\S*|memory\.stat\S*|cpuacct\S*) {2}.*$/gm, '$1  <number>'],
  [/(Server:\n) {2}Version:.*\n {2}Revision:.*/g, '$1  <version>'],
  [/\nWARNING: (version|revision) mismatch|^WARNING: (version|revision) mismatch\n?/gm, ''],
];

/** `tasks ls` and `tasks ps`: the column of the pids. */
const withoutPids = (line: string): string =>
  line.replace(/^(\S+ {2})\d+( {2}[A-Z]+)$/, '$1<pid>$2').replace(/^\d+( {2}(-|\S+))?$/, '<pid>$1');

export const normalize = (text: string, { root, runtime }: Containerd): string => {
  let plain = text.replaceAll(root, '<root>').replaceAll(runtime, '<runtime>');
  for (const [pattern, replacement] of RULES) plain = plain.replace(pattern, replacement);
  return plain
    .replace(/\b\S+=[^\s,]+(,\S+=[^\s,]+)+/g, sortLabels)
    .split('\n')
    .map(withoutPids)
    .join('\n')
    .trim();
};

/** How far a transfer had come at each moment is nobody's business: bars and the line with the time. */
const withoutProgress = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.includes('|') && !line.startsWith('elapsed:'))
    .join('\n');

/** One text for what came out, so that a difference is readable. */
export const transcriptOf = (answer: Answer, containerd: Containerd): string =>
  [
    normalize(withoutProgress(normalize(answer.stdout, containerd)), containerd),
    ...normalize(answer.stderr, containerd)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `! ${line}`),
    `= ${String(answer.code)}`,
  ].join('\n');
