/**
 * One run to many viewers: `node bench/fan-out.mjs --viewers 1000,2000`.
 *
 *   --viewers LIST    how many, one after the other (1000)
 *   --rate N          events a second (2,000)
 *   --seconds N       of each measurement (10)
 *   --steps N         instead: a presenter goes N steps before so many followers, two a second (0)
 *   --only LIST       of ours, ws, "ws, batched", socket.io (all that are there)
 *   --socket-io DIR   where `npm install --prefix DIR socket.io@4` has put it; without it, it is left out
 *
 * Latency is from the birth of an event to the viewer who has it, at sixteen viewers of whom half came first and half
 * last; all others are one small C program that reads and throws away. Server, viewers and samples share the machine.
 */
import { execFileSync, fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { importSources } from './bundle.mjs';
import { load, printMachine } from './measure.mjs';

const TICK_MS = 10;
const SAMPLES = 16;
const WARM_UP_MS = 3_000;
const WebSocket = createRequire(import.meta.url)('ws');

/** In a process of its own: serves, and makes events as long as it is told to. */
async function serve({ kind, socketIo, rate }) {
  const { openFan } = await importSources('fan-out-servers', ['bench/fan-out/servers.ts']);
  const fan = await openFan(kind, socketIo);
  let timer;
  process.on('message', (word) => {
    clearInterval(timer);
    if (word === 'step') return fan.step();
    const usage = process.cpuUsage();
    const began = performance.now();
    let sent = 0;
    timer = setInterval(() => {
      // A server that falls behind makes its events later, and all of them.
      const due = Math.floor(((performance.now() - began) / 1000) * rate);
      for (; sent < due; sent += 1) fan.emit();
      const { user, system } = process.cpuUsage(usage);
      process.send({
        made: sent,
        cpu: (user + system) / 10 / (performance.now() - began),
        rss: process.memoryUsage.rss(),
      });
    }, TICK_MS);
  });
  process.send({ port: fan.port, path: fan.path });
}

const WORDS = {
  ours: {
    first: '{"type":"resume","have":{}}',
    each: `{"type":"ack","frame":${Number.MAX_SAFE_INTEGER}}`,
    births: (text) =>
      text.startsWith('{"type":"events"') ? JSON.parse(text).events.map(({ mono }) => mono) : [],
  },
  ws: { first: '', each: '', births: (text) => [JSON.parse(text).mono] },
  'ws, batched': {
    first: '',
    each: '',
    births: (text) => JSON.parse(text).events.map(({ mono }) => mono),
  },
  'socket.io': {
    first: '40',
    each: '',
    births: (text) =>
      text.startsWith('42') ? JSON.parse(text.slice(2))[1].map(({ mono }) => mono) : [],
  },
};

async function sampleClients(count, { port, path }, { first, each, births }, note) {
  const sockets = await Promise.all(
    Array.from({ length: count }, () => {
      // What a browser does: it agrees to compression where the server offers it.
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['engine-room.v1']);
      socket.on('message', (data) => {
        const now = process.hrtime.bigint();
        const text = data.toString();
        if (text === '2') socket.send('3');
        for (const mono of births(text)) note(Number(now - BigInt(mono)) / 1e6);
      });
      return new Promise((resolve, reject) => {
        socket.on('error', reject);
        socket.on('open', () => {
          if (first !== '') socket.send(first);
          resolve(socket);
        });
      });
    }),
  );
  const timer = setInterval(() => {
    if (each !== '') for (const socket of sockets) socket.send(each);
  }, 250);
  return () => {
    clearInterval(timer);
    for (const socket of sockets) socket.terminate();
  };
}

/** How long it takes from the presenter's step to each of the followers. */
async function measureSteps(viewers, steps, socketIo) {
  const server = fork(fileURLToPath(import.meta.url), [], {
    env: { ...process.env, FAN_OUT: JSON.stringify({ kind: 'ours', socketIo, rate: 0 }) },
  });
  const place = await new Promise((resolve) => server.once('message', resolve));
  const latencies = [];
  const words = {
    ...WORDS.ours,
    births: (text) => {
      const frame = JSON.parse(text);
      return frame.type === 'room' && frame.room.playhead.realNs > 0
        ? [frame.room.playhead.realNs]
        : [];
    },
  };
  const end = await sampleClients(viewers, place, words, (latency) => latencies.push(latency));
  for (let step = 0; step < steps; step += 1) {
    server.send('step');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  end();
  server.kill('SIGKILL');
  const sorted = latencies.sort((a, b) => a - b);
  console.log(
    `\n${steps} steps before ${viewers} followers: p50 ${percentile(sorted, 0.5).toFixed(1)} ms, ` +
      `p95 ${percentile(sorted, 0.95).toFixed(1)} ms, ${sorted.length} of ${steps * viewers} seen`,
  );
}

const percentile = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

async function measure(kind, viewers, { drain, rate, seconds, socketIo }) {
  const words = WORDS[kind];
  const server = fork(fileURLToPath(import.meta.url), [], {
    env: { ...process.env, FAN_OUT: JSON.stringify({ kind, socketIo, rate }) },
  });
  const place = await new Promise((resolve) => server.once('message', resolve));
  let told = { made: 0, cpu: 0, rss: 0 };
  server.on('message', (message) => (told = message));
  let latencies = [];
  const note = (latency) => latencies.push(latency);
  const ends = [await sampleClients(SAMPLES / 2, place, words, note)];
  const others = spawn(
    drain,
    [String(place.port), place.path, String(viewers - SAMPLES), words.first, words.each],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: others.stdout })[Symbol.asyncIterator]();
  await lines.next();
  ends.push(await sampleClients(SAMPLES / 2, place, words, note));
  server.send('start');
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(WARM_UP_MS);
  latencies = [];
  const before = told.made;
  await wait(seconds * 1000);
  // What comes while the others are told to end is not counted.
  const sorted = latencies.toSorted((a, b) => a - b);
  const { made, cpu, rss } = told;
  others.kill('SIGTERM');
  const [left, bytes] = (await lines.next()).value.split(' ').map(Number);
  for (const end of ends) end();
  server.kill('SIGKILL');
  const expected = (made - before) * SAMPLES;
  const whole = expected === 0 ? '–' : `${((sorted.length / expected) * 100).toFixed(0)} %`;
  const ms = (share) => (sorted.length === 0 ? '–' : percentile(sorted, share).toFixed(0));
  console.log(
    `| ${kind} | ${viewers} | ${ms(0.5)} | ${ms(0.99)} | ${whole} | ` +
      `${((made - before) / seconds).toFixed(0)} | ${cpu.toFixed(0)} % | ${(rss / 1e6).toFixed(0)} | ` +
      `${(bytes / 1e6 / (seconds + WARM_UP_MS / 1000)).toFixed(0)} | ${viewers - SAMPLES - left} |`,
  );
}

if (process.env.FAN_OUT) {
  await serve(JSON.parse(process.env.FAN_OUT));
} else {
  const { values } = parseArgs({
    options: {
      viewers: { type: 'string', default: '1000' },
      rate: { type: 'string', default: '2000' },
      seconds: { type: 'string', default: '10' },
      steps: { type: 'string', default: '0' },
      only: { type: 'string', default: 'ours,ws,ws; batched,socket.io' },
      'socket-io': { type: 'string', default: '' },
    },
  });
  const kinds = values.only.split(',').map((kind) => kind.replace(';', ','));
  const folder = mkdtempSync(join(tmpdir(), 'fan-out-'));
  const drain = join(folder, 'drain');
  execFileSync('cc', [
    '-O2',
    '-o',
    drain,
    fileURLToPath(new URL('fan-out/drain.c', import.meta.url)),
  ]);
  const options = {
    drain,
    rate: Number(values.rate),
    seconds: Number(values.seconds),
    socketIo: values['socket-io'],
  };
  printMachine();
  if (values.steps !== '0') {
    await measureSteps(Number(values.viewers), Number(values.steps), options.socketIo);
    process.exit(0);
  }
  console.log(
    '\n| server | viewers | p50 ms | p99 ms | delivered | events/s | CPU | MB | MB/s out | lost viewers |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const viewers of values.viewers.split(',').map(Number))
    for (const kind of kinds)
      if (kind !== 'socket.io' || options.socketIo !== '') await measure(kind, viewers, options);
  console.log(`\nload afterwards: ${load()}`);
  rmSync(folder, { recursive: true });
}
