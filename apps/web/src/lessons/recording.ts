/** The recorded runs of a lesson: a header line, then each run as a trace file of its own, one after the other. */
import type { RecordingHeader } from '@engine-room/engine/protocol/lesson/lesson.ts';
import { words } from '../messages/lesson-words.ts';
import { readTrace, type RecordedTrace } from '../trace/recorded-trace.ts';

export interface LessonRecording {
  readonly header: RecordingHeader;
  readonly traces: readonly RecordedTrace[];
}

export const fetchRecording = async (url: string): Promise<LessonRecording> => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(words().notFetched(response.status));
  const lines = (await textOf(new Uint8Array(await response.arrayBuffer()))).split('\n');
  const header = headerOf(lines[0] ?? '');
  const traces: RecordedTrace[] = [];
  for (const part of partsOf(lines.slice(1)))
    traces.push(await readTrace(new TextEncoder().encode(part)));
  return { header, traces };
};

/** Some servers unpack `.gz` on the way, so the first two bytes decide. */
const textOf = (file: Uint8Array<ArrayBuffer>): Promise<string> =>
  file[0] === 0x1f && file[1] === 0x8b
    ? new Response(new Blob([file]).stream().pipeThrough(new DecompressionStream('gzip'))).text()
    : Promise.resolve(new TextDecoder().decode(file));

const headerOf = (line: string): RecordingHeader => {
  const header = JSON.parse(line) as RecordingHeader;
  if (header.format !== 'engine-room-lesson') throw new Error(words().noRecordedLesson);
  return header;
};

const partsOf = (lines: readonly string[]): readonly string[] => {
  const parts: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('{"format":')) parts.push([]);
    parts.at(-1)?.push(line);
  }
  return parts.map((part) => part.join('\n'));
};
