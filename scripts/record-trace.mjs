/**
 * Records one real run as a file for the page: starts a lab of its own in temporary folders, runs the command as the
 * page would, and saves the trace when it has ended. What `--before=` names is run first and not recorded.
 *
 * Needs root, like everything that starts containers.
 *
 *   node scripts/record-trace.mjs apps/web/public/recordings/first-run.trace.gz docker run --rm busybox echo hello
 */
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import WebSocket from 'ws';
import { startRecordingLab } from './recording-lab.mjs';

const [file, ...rest] = process.argv.slice(2);
const BEFORE = '--before=';
const before = rest
  .filter((word) => word.startsWith(BEFORE))
  .map((word) => word.slice(BEFORE.length));
const words = rest.slice(before.length);
if (!file || words[0] !== 'docker') {
  console.error(
    "usage: node scripts/record-trace.mjs FILE.trace.gz [--before='docker …'] docker run …",
  );
  process.exit(2);
}
const quote = (word) =>
  /^[\w./:=@,+%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
const command = words.map(quote).join(' ');

const lab = await startRecordingLab();

/** The stream tells when a trace has ended. */
async function untilEnded(base, token, begin) {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/api/stream`, [
    'engine-room.v1',
    `token.${token}`,
  ]);
  try {
    const ended = new Map();
    let wanted = null;
    const done = new Promise((fulfil, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the lab has gone')));
      socket.on('message', (data) => {
        const frame = JSON.parse(Buffer.concat([data].flat()).toString('utf8'));
        if (frame.type === 'events')
          socket.send(JSON.stringify({ type: 'ack', frame: frame.frame }));
        if (frame.type === 'trace' && frame.trace.state === 'ended')
          ended.set(frame.trace.traceId, frame.trace);
        if (ended.has(wanted)) fulfil(ended.get(wanted));
      });
      once(socket, 'open')
        .then(begin)
        .then((traceId) => {
          wanted = traceId;
          if (ended.has(wanted)) fulfil(ended.get(wanted));
        })
        .catch(reject);
    });
    return await done;
  } finally {
    socket.removeAllListeners('close').close();
  }
}

try {
  const { base, token } = lab;
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const run = (line) => untilEnded(base, token, () => ask(line));
  const ask = async (line) => {
    const response = await fetch(`${base}/api/run`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ command: line }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    return answer.traceId;
  };
  for (const line of before) await run(line);
  const summary = await run(command);
  const response = await fetch(`${base}/api/traces/${summary.traceId}`, { headers });
  const [first, ...events] = gunzipSync(Buffer.from(await response.arrayBuffer()))
    .toString('utf8')
    .split('\n');
  const header = JSON.parse(first);
  header.summary.origin = 'recording';
  const target = resolve(file);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(
    `${target}.new`,
    gzipSync([JSON.stringify(header), ...events].join('\n'), { level: 9 }),
  );
  renameSync(`${target}.new`, target);
  console.error(
    `${file}: ${header.summary.title}: ${header.summary.eventCount} events, exit code ${header.summary.exitCode}`,
  );
} finally {
  await lab.stop();
}
