/**
 * The same `ctr` commands to Debian's containerd and to ours: each must be answered with the same lines.
 * One whole run after the other, because containers of one name have one cgroup.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS, wordsOf } from './support/commands.ts';
import { type Containerd, type Kind, startContainerd } from './support/containerds.ts';
import { normalize, transcriptOf } from './support/normalize.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { sha256, type TestImage, writeTestImage } from './support/test-image.ts';

interface Run {
  readonly answers: readonly string[];
  readonly events: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'ctr-compare-'));
let image: TestImage;
const runs = new Map<Kind, Run>();

const listenTo = (containerd: Containerd) => {
  const listener = containerd.ctrInBackground(['events']);
  let said = '';
  listener.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  return async (): Promise<string[]> => {
    const ended = once(listener, 'close');
    listener.kill('SIGTERM');
    await ended;
    return normalize(said, containerd).split('\n');
  };
};

const valuesFor = (containerd: Containerd, registry: Registry): Record<string, string> => ({
  root: containerd.root,
  archive: image.archive,
  nonsense: join(folder, 'nonsense.tar'),
  image: image.name,
  registry: registry.host,
  manifest: image.manifest,
  config: image.config,
  chain: image.chainId,
  missing: sha256('nobody has this'),
  greeting: sha256('hello\n'),
});

const runAll = async (kind: Kind): Promise<Run> => {
  const registry = await startRegistry();
  const containerd = await startContainerd(kind);
  try {
    const values = valuesFor(containerd, registry);
    const stopListening = listenTo(containerd);
    const answers: string[] = [];
    for (const line of COMMANDS) {
      const { args, input, until } = wordsOf(line, values);
      const needsRuntime = args[0] === 'run' || (args[0] === 'containers' && args[1] === 'create');
      if (needsRuntime) args.splice(args[0] === 'run' ? 1 : 2, 0, '--runtime', containerd.runtime);
      let said = await containerd.ctr(args, input);
      while (!said.stdout.includes(until)) said = await containerd.ctr(args, input);
      const answer = transcriptOf(said, containerd);
      answers.push(answer.replaceAll(registry.host, '<registry>'));
    }
    const events = (await stopListening()).map((line) =>
      line.replaceAll(registry.host, '<registry>'),
    );
    return { answers, events };
  } finally {
    await containerd.stop();
    await registry.stop();
  }
};

beforeAll(async () => {
  image = await writeTestImage(join(folder, 'image.tar'), 'example.com/test/box:1');
  writeFileSync(join(folder, 'nonsense.tar'), 'this is no archive');
  for (const kind of ['real', 'ours'] as const) runs.set(kind, await runAll(kind));
  if (process.env['CTR_TRANSCRIPT'])
    writeFileSync(
      process.env['CTR_TRANSCRIPT'],
      JSON.stringify({ COMMANDS, ...Object.fromEntries(runs) }),
    );
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Upstream lists what is under way out of a map of Go, in any order. */
const inOrder = (line: string, answer: string): string =>
  line === 'content active' ? answer.split('\n').sort().join('\n') : answer;

describe('our containerd answers ctr as the real one does', () => {
  test.each(COMMANDS.map((line, index) => [index + 1, line] as const))('%i: %s', (number, line) => {
    const answer = (kind: Kind) => inOrder(line, runs.get(kind)?.answers[number - 1] ?? '');
    expect(answer('ours')).toBe(answer('real'));
  });

  test('and tells the same events', () => {
    expect(runs.get('ours')?.events).toEqual(runs.get('real')?.events);
  });
});
