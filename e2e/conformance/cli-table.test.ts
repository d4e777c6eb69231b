/**
 * The same docker commands against a real dockerd and against ours: output, errors and exit codes side by side.
 * What differs must be explained in `commands.ts`; the table is part of `apps/engine/src/dockerd/CONFORMANCE.md`, and
 * `UPDATE_CONFORMANCE=1` writes it there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRealEngine } from '../docker-cli/support/real-engine.ts';
import { dockerFor, type Docker } from '../support/docker.ts';
import type { Engine } from '../support/engine.ts';
import { startOurEngine } from '../support/our-engine.ts';
import { FIXTURES, ROWS, type Row } from './commands.ts';

const DOCUMENT = join(import.meta.dirname, '../../apps/engine/src/dockerd/CONFORMANCE.md');
const BEGIN = '<!-- begin of the table -->';
const END = '<!-- end of the table -->';

let engines: readonly Engine[] = [];

beforeAll(async () => {
  engines = [await startRealEngine(), await startOurEngine()];
}, 180_000);
afterAll(async () => {
  for (const engine of engines) await engine.stop();
}, 120_000);

/** Words, with double quotes around what has blanks. */
const split = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function answerOf(docker: Docker, { command, input }: Row): Promise<Answer> {
  const { code, stdout, stderr } = await docker(split(command), { input: input ?? '' });
  return { code, stdout: normalized(stdout), stderr: normalized(stderr) };
}

/** What is another one each time: ids, times, pids, and how wide a column is. */
const normalized = (text: string): string =>
  text
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
    .replaceAll(/^(\d+)(\s+\S)/gm, 'PID$2')
    .replaceAll(/ +/g, ' ')
    // Older clients log a line of their own, sometimes.
    .replaceAll(/^time="[^"]*" level=\w+ msg="error waiting for container: [^"]*"\n?/gm, '')
    .replaceAll(/\n\nRun 'docker \S+ --help' for more information\n/g, '\n')
    .trim();

test('every difference from a real dockerd is explained', { timeout: 600_000 }, async () => {
  const [real, ours] = engines.map((engine) => dockerFor(engine));
  if (!real || !ours) throw new Error('both engines are needed');
  for (const command of FIXTURES) {
    await real(split(command));
    await ours(split(command));
  }
  // With an older client some of the differences are not seen, for it does not send everything.
  const client = await ours.ok(['version', '--format', '{{.Client.Version}}']);
  const isClientOfDocument = client.startsWith('28.');
  const lines: string[] = [];
  const surprises: string[] = [];
  let equal = 0;
  for (const row of ROWS) {
    const [theirs, own] = await Promise.all([answerOf(real, row), answerOf(ours, row)]);
    const isEqual = JSON.stringify(theirs) === JSON.stringify(own);
    if (isEqual) equal += 1;
    const isExplained = row.because !== undefined;
    if (isEqual ? isExplained && isClientOfDocument : !isExplained) {
      surprises.push(
        `docker ${row.command}\n  real: ${JSON.stringify(theirs)}\n  ours: ${JSON.stringify(own)}`,
      );
    }
    lines.push(
      `| \`docker ${row.command.replaceAll('|', '\\|')}\` | ${theirs.code} | ${own.code} | ${isEqual ? 'equal' : (row.because ?? 'not explained')} |`,
    );
  }
  const table = [
    `${equal} of ${ROWS.length} are equal.`,
    '',
    '| command | exit, real | exit, ours | output and errors |',
    '| --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
  process.stdout.write(`${table}\n`);
  expect(surprises.join('\n')).toBe('');
  if (!isClientOfDocument) return;

  const document = readFileSync(DOCUMENT, 'utf8');
  const between = document.slice(document.indexOf(BEGIN) + BEGIN.length, document.indexOf(END));
  if (process.env['UPDATE_CONFORMANCE'] === '1') {
    writeFileSync(
      DOCUMENT,
      document.replace(BEGIN + between + END, () => `${BEGIN}\n\n${table}\n\n${END}`),
    );
    return;
  }
  const cells = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---').trim())
      .filter((line) => line !== '');
  expect(cells(between)).toEqual(cells(table));
});
