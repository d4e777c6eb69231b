/**
 * Records one real run as a file for the page: starts a lab of its own in temporary folders, runs the command as the
 * page would, and saves the trace when it has ended.
 *
 * Needs root, like everything that starts containers.
 *
 *   node scripts/record-trace.mjs content/recordings/first-run.trace.gz docker run --rm busybox echo hello
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import WebSocket from 'ws';

const [file, ...words] = process.argv.slice(2);
if (!file || words[0] !== 'docker') {
  console.error('usage: node scripts/record-trace.mjs FILE.trace.gz docker run …');
  process.exit(2);
}
const quote = (word) =>
  /^[\w./:=@,+%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
const command = words.map(quote).join(' ');

const folder = mkdtempSync(join(tmpdir(), 'engine-room-record-'));
/**
 * In a mount namespace of its own the lab uses the standard folders, so that the recorded paths are those that
 * everybody will see, and a real engine in the real folders is not touched. mount_namespaces(7)
 */
const PLACES = { run: '/run/engine-room', data: '/var/lib/engine-room' };
const script = Object.entries(PLACES)
  .map(([name, place]) => `mkdir -p ${place} "$0/${name}" && mount --bind "$0/${name}" ${place}`)
  .concat('exec "$@"')
  .join(' && ');
const lab = spawn(
  'unshare',
  [
    '--mount',
    '--propagation=private',
    'sh',
    '-c',
    script,
    folder,
    process.execPath,
    fileURLToPath(new URL('../apps/engine/bin/lab', import.meta.url)),
    '--no-open',
    '--port=0',
  ],
  { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH, HOME: process.env.HOME } },
);

async function urlOf(process_) {
  for await (const line of createInterface({ input: process_.stdout })) {
    const match = /(http:\/\/\S+?)\/#token=(\S+)/.exec(line);
    if (match) return { base: match[1], token: match[2] };
  }
  throw new Error('the lab did not start');
}

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
  const { base, token } = await urlOf(lab);
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const summary = await untilEnded(base, token, async () => {
    const response = await fetch(`${base}/api/run`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ command }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    return answer.traceId;
  });
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
  if (lab.exitCode === null) {
    lab.kill('SIGINT');
    await once(lab, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
}
