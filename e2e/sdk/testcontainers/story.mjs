/**
 * What people do with Testcontainers for Node, told as lines of text: `DOCKER_HOST=… node story.mjs`.
 * Needs the images nginx and redis; Ryuk, which would be pulled from a registry, is off.
 */
import { GenericContainer, Network, Wait } from 'testcontainers';

const say = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);

const network = await new Network().start();
const redis = await new GenericContainer('redis')
  .withNetwork(network)
  .withNetworkAliases('cache')
  .withExposedPorts(6379)
  .withCommand(['redis-server', '--save', '', '--protected-mode', 'no'])
  .withHealthCheck({
    test: ['CMD', 'redis-cli', 'ping'],
    interval: 500,
    timeout: 10_000,
    retries: 60,
  })
  .withWaitStrategy(Wait.forHealthCheck())
  .start();
say('ping', (await redis.exec(['redis-cli', 'ping'])).stdout.trim());
say(
  'exit code of a bad command',
  (await redis.exec(['redis-cli', '-x'], { user: 'nobody' })).exitCode,
);
say('mapped', redis.getMappedPort(6379) > 0);

const nginx = await new GenericContainer('nginx')
  .withNetwork(network)
  .withExposedPorts(80)
  .withEnvironment({ COLOUR: 'blue' })
  .withLabels({ 'org.example.peer': 'testcontainers' })
  .withTmpFs({ '/scratch': 'rw,size=65536k' })
  .withCopyContentToContainer([{ content: 'kept', target: '/etc/kept' }])
  .withWaitStrategy(Wait.forAll([Wait.forHttp('/', 80), Wait.forListeningPorts()]))
  .start();
const answer = await fetch(`http://${nginx.getHost()}:${nginx.getFirstMappedPort()}/`);
say('page', [answer.status, (await answer.text()).includes('<html')]);
say('environment', (await nginx.exec(['sh', '-c', 'echo $COLOUR; cat /etc/kept'])).output.trim());
say(
  'the other by its name',
  (
    await nginx.exec(['sh', '-c', String.raw`printf 'PING\r\nQUIT\r\n' | nc cache 6379`])
  ).output.includes('PONG'),
);
await nginx.copyContentToContainer([{ content: 'later', target: '/tmp/later', mode: 0o600 }]);
say('mode', (await nginx.exec(['busybox', 'stat', '-c', '%a %s', '/tmp/later'])).output.trim());
const archive = await nginx.copyArchiveFromContainer('/tmp/later');
let bytes = 0;
for await (const chunk of archive) bytes += chunk.length;
say('an archive comes back', bytes >= 512);
say('labels', nginx.getLabels()['org.example.peer']);
await nginx.restart();
say(
  'after a restart',
  (await fetch(`http://${nginx.getHost()}:${nginx.getFirstMappedPort()}/`)).status,
);

// The strategy that waits for a line and the consumer read the log each on their own.
const expected = new Set(['one', 'two']);
let heardAll;
const heard = new Promise((resolve) => (heardAll = resolve));
const once = await new GenericContainer('redis')
  .withCommand(['sh', '-c', 'echo one; echo two >&2; sleep 600'])
  .withLogConsumer((stream) =>
    stream.on('data', (line) => {
      expected.delete(String(line).trim());
      if (expected.size === 0) heardAll();
    }),
  )
  .withWaitStrategy(Wait.forLogMessage('two'))
  .start();
// Testcontainers lets go of the sockets of its logs: a process that only waits for a line would end before it comes.
const alive = setInterval(() => undefined, 1000);
await heard;
clearInterval(alive);
say('lines of the log that did not come', [...expected]);
const failing = await new GenericContainer('redis')
  .withCommand(['no-such-program'])
  .start()
  .then(
    () => 'it started',
    (error) => /no-such-program/.test(String(error)),
  );
say('a program that is not there', failing);
for (const container of [once, nginx, redis]) await container.stop();
await network.stop();
