/**
 * Records the lessons: plays each solution on a real engine of its own, and keeps the traces of the lesson's runs and
 * what the lab observed. The page shows them where there is no engine, and says so. Needs root.
 *
 *   node scripts/record-lessons.mjs            # all
 *   node scripts/record-lessons.mjs 003 005    # some
 */
import { renameSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { runnerImport } from 'vite';
import { startRecordingLab } from './recording-lab.mjs';

const load = async (name) => (await runnerImport(`./scripts/lessons/${name}.ts`)).module;
const { readLessons } = await load('read-lessons');
const { LabClient } = await load('lab-client');
const { playSolution, tidyUp } = await load('play-solution');

const asked = process.argv.slice(2);
const folders = readLessons().filter(
  ({ lesson }) => asked.length === 0 || asked.some((number) => lesson.id.startsWith(number)),
);
const lab = await startRecordingLab();
const client = new LabClient(lab.url, lab.dockerSocket, { enter: lab.enter });
try {
  for (const { lesson, solution, recording } of folders) await record(lesson, solution, recording);
} finally {
  client.close();
  await lab.stop();
}

async function record(lesson, solution, file) {
  const { end, runs } = await playSolution(client, lesson, solution);
  const failed = lesson.checks.filter(({ id }) => !end.get(`check/${id}`)?.holds);
  if (failed.length > 0) throw new Error(`${lesson.id}: not passed: ${failed.map(({ id }) => id)}`);
  const traces = [];
  // What was broken is told in the trace of the run that it concerned.
  for (const traceId of new Set(Object.values(runs))) {
    const [first, ...events] = gunzipSync(await client.traceFile(traceId))
      .toString('utf8')
      .split('\n');
    const header = JSON.parse(first);
    header.summary.origin = 'recording';
    traces.push(JSON.stringify(header), ...events.filter((line) => line !== ''));
  }
  // Only now: a trace goes on as long as its container, and its removal is no part of the lesson.
  await tidyUp(client, lesson);
  const header = {
    format: 'engine-room-lesson',
    lesson: lesson.id,
    recordedAt: new Date().toISOString(),
    runs,
    observations: Object.fromEntries(end),
  };
  writeFileSync(
    `${file}.new`,
    gzipSync([JSON.stringify(header), ...traces].join('\n'), { level: 9 }),
  );
  renameSync(`${file}.new`, file);
  console.error(`${lesson.id}: ${Object.keys(runs).length} runs, ${traces.length} lines`);
}
