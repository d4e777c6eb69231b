import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type Allowed, type Refused } from './policy.ts';

const allowed = (line: string): Allowed => {
  const decision = decide(line, 'me');
  if (!decision.allowed) throw new Error(`refused: ${decision.message}`);
  return decision;
};
const refused = (line: string): Refused => {
  const decision = decide(line, 'me');
  if (decision.allowed) throw new Error(`allowed: ${decision.argv.join(' ')}`);
  return decision;
};

const LABEL = ['--label', 'engine-room.learner=me'];

describe('what is added', () => {
  test('limits and the label come before what was typed', () => {
    expect(allowed('docker run --rm busybox echo "hello world"').argv).toEqual(
      [
        'docker run --memory 256m --pids-limit 128 --cpus 1'.split(' '),
        LABEL,
        ['--rm', 'busybox', 'echo', 'hello world'],
      ].flat(),
    );
  });

  test('what is given is not given again', () => {
    expect(allowed('docker run -m64m --cpus=0.5 --pids-limit 10 busybox').injected).toEqual(LABEL);
    expect(allowed('docker run --memory=64m busybox').injected).not.toContain('--memory');
  });

  test('flags of the program in the container are its own', () => {
    const { injected, argv } = allowed('docker run busybox --privileged -v -m 1g');

    expect(injected).toContain('--memory');
    expect(argv.slice(-5)).toEqual(['busybox', '--privileged', '-v', '-m', '1g']);
  });

  test('a list is of the learner’s own containers, whatever else is asked for', () => {
    const own = ['--filter', 'label=engine-room.learner=me'];

    expect(allowed('docker ps').injected).toEqual(own);
    expect(allowed('docker ps -a --filter label=engine-room.learner=you -f name=x').argv).toEqual(
      [
        ['docker', 'ps'],
        own,
        '-a --filter label=engine-room.learner=you -f name=x'.split(' '),
      ].flat(),
    );
  });

  test('a volume is made for the learner, and only the learner’s own are listed', () => {
    expect(allowed('docker volume create notes')).toMatchObject({
      argv: ['docker', 'volume', 'create', ...LABEL, 'notes'],
      createsVolume: true,
    });
    expect(allowed('docker volume ls -q').argv).toEqual(
      'docker volume ls --filter label=engine-room.learner=me -q'.split(' '),
    );
    expect(allowed('docker run -v notes:/data:ro busybox').volumes).toEqual(['notes']);
    expect(allowed('docker volume rm a b').volumes).toEqual(['a', 'b']);
  });

  test('nothing is added to a command that makes and lists no container', () => {
    expect(allowed('docker images -a').argv).toEqual(['docker', 'images', '-a']);
  });
});

test.each([
  'docker run -d -p 127.0.0.1:8080:80 nginx',
  'docker run -d --name web -e A=b -w /tmp -u 1000 --hostname h --network none --read-only --entrypoint sh busybox -c x',
  'docker run -i --rm busybox cat',
  'docker run -t busybox sh',
  'docker run --cap-drop ALL --cap-drop=NET_RAW busybox',
  'docker run --rm=false -l a=b busybox',
  'docker create --name x busybox',
  'docker start -a x',
  'docker logs -f --tail 10 x',
  'docker rm -f x y',
  'docker stop -t 3 x',
  'docker kill -s TERM x',
  "docker inspect --format '{{.State.Pid}}' x",
  'docker images',
  'docker version',
  'docker info',
  'docker wait x',
  'docker exec x sh -c "echo hi"',
  'docker exec -i -u 1000 -w /tmp -e A=b x cat',
  'docker exec -d x sleep 5',
  'docker top x',
  'docker stats --no-stream x y',
  'docker restart -t 1 x',
  'docker rename x y',
  'docker diff x',
  'docker pause x',
  'docker unpause x',
  'docker update --memory 64m --cpus 0.5 x',
  'docker run --restart on-failure:3 busybox false',
  'docker run -d --health-cmd "test -e /ok" --health-interval 2s busybox sleep 60',
  'docker exec --help',
  'docker run --help',
  'docker run',
  'docker run --memory lots busybox',
])('the page may send: %s', (line) => {
  expect(allowed(line).argv[0]).toBe('docker');
});

test.each([
  ['docker run -v /:/host busybox', 'mount', 14],
  ['docker run --volume=/:/host busybox', 'mount', 11],
  ['docker run --mount type=bind,src=/,dst=/h busybox', 'mount', 11],
  ['docker run --tmpfs /x busybox', 'mount', 11],
  ['docker run --privileged busybox', 'root', 11],
  ['docker run --privileged=false busybox', 'root', 11],
  ['docker run --pid host busybox', 'namespaces', 11],
  ['docker run --ipc=host busybox', 'namespaces', 11],
  ['docker run --uts=host busybox', 'namespaces', 11],
  ['docker run --userns host busybox', 'namespaces', 11],
  ['docker run --network host busybox', 'network', 21],
  ['docker run --net=container: busybox', 'network', 11],
  ['docker run --network name=host busybox', 'network', 21],
  ['docker run --network container:a --net container:b busybox', 'one network', 39],
  ['docker run --cap-add SYS_ADMIN busybox', 'dropped', 11],
  ['docker run --device /dev/sda busybox', 'devices', 11],
  ['docker run -p 80:80 busybox', 'loopback', 14],
  ['docker run -p 8080:80 busybox', 'loopback', 14],
  ['docker run -p 0.0.0.0:8080:80 busybox', 'loopback', 14],
  ['docker run -p 127.0.0.1:80:80 busybox', 'loopback', 14],
  ['docker run -p 127.0.0.1:8080-8090:80-90 busybox', 'loopback', 14],
  ['docker run -p 127.0.0.1::80 busybox', 'loopback', 14],
  ['docker run -p 127.0.0.1:8080:53/udp busybox', 'loopback', 14],
  ['docker run -P busybox', 'ports', 11],
  ['docker run -itP busybox', 'ports', 11],
  ['docker run --security-opt seccomp=unconfined busybox', 'confines', 11],
  ['docker run --env-file /etc/shadow busybox', 'files', 11],
  ['docker run --cidfile /x busybox', 'files', 11],
  ['docker run --cgroup-parent / busybox', 'namespaces', 11],
  ['docker run -m 1g busybox', 'memory', 14],
  ['docker run -m 0 busybox', 'memory', 14],
  ['docker run -m -1 busybox', 'memory', 14],
  ['docker run -m 1e9 busybox', 'memory', 14],
  ['docker run -m512.1m busybox', 'memory', 11],
  ['docker run --cpus 0 busybox', 'CPU', 18],
  ['docker run --cpus 1e3 busybox', 'CPU', 18],
  ['docker run --pids-limit -1 busybox', 'processes', 24],
  ['docker run --pids-limit 0x100000 busybox', 'processes', 24],
  ['docker run --label engine-room.learner=you busybox', 'labels', 19],
  ['docker run -it busybox', 'terminal', 11],
  ['docker run -i --tty busybox', 'terminal', 14],
  ['docker run --unheard-of busybox', 'does not allow', 11],
  ['docker -H tcp://other ps', 'engine', 7],
  ['docker exec -it x sh', 'terminal', 12],
  ['docker exec --privileged x sh', 'root', 12],
  ['docker exec --env-file /etc/shadow x env', 'files', 12],
  ['docker top x aux', 'no options of ps', 11],
  ['docker stats x', '--no-stream', 13],
  ['docker stats --no-stream', 'by name', 13],
  ['docker stats -a --no-stream', 'does not allow', 13],
  ['docker update --memory 2g x', 'memory', 23],
  ['docker update --memory-swap -1 x', 'does not allow', 14],
  ['docker run --restart always busybox', 'on-failure:5', 21],
  ['docker run --restart on-failure busybox', 'on-failure:5', 21],
  ['docker run --health-cmd true --health-interval 10ms busybox', 'every 1 seconds', 47],
  ['docker cp x:/etc/passwd /tmp', 'cannot be sent', 7],
  ['docker export x', 'cannot be sent', 7],
  ['docker build .', 'cannot be sent', 7],
  ['docker constructor', 'cannot be sent', 7],
  ['docker stop -t 100000 x', 'seconds', 15],
  ['podman run x', 'only docker', 0],
  ['docker ps | sh', 'pipe', 10],
])('%s is refused', (line, reason, position) => {
  const decision = refused(line);

  expect(decision.status).toBe(403);
  expect(decision.message).toContain(reason);
  expect(decision.position).toBe(position);
});

test.each([
  ['', 0],
  ['docker', 6],
  [`docker run 'busybox`, 11],
])('%s is not yet a command', (line, position) => {
  expect(refused(line)).toMatchObject({ status: 400, position });
});

test('which containers a command acts upon', () => {
  expect(allowed('docker rm -f a b').containers).toEqual(['a', 'b']);
  expect(allowed('docker stop a -t 3 b').containers).toEqual(['a', 'b']);
  expect(allowed('docker kill -- -x').containers).toEqual(['-x']);
  expect(allowed('docker run busybox a').containers).toEqual([]);
  expect(allowed('docker exec a cat b').containers).toEqual(['a']);
  expect(allowed('docker rename a b').containers).toEqual(['a']);
  expect(allowed('docker top a').containers).toEqual(['a']);
});

test('whose output the client prints', () => {
  expect(allowed('docker run busybox').printsContainer).toBe(true);
  expect(allowed('docker run -d busybox').printsContainer).toBe(false);
  expect(allowed('docker run -d=false busybox').printsContainer).toBe(true);
  expect(allowed('docker start -a x').printsContainer).toBe(true);
  expect(allowed('docker ps').printsContainer).toBe(false);
  expect(allowed('docker exec x id').printsContainer).toBe(true);
  expect(allowed('docker exec -d x id').printsContainer).toBe(false);
});

test('no flag that reaches the client is outside of the table', () => {
  const dangerous = [
    '--privileged',
    '-v/:/h',
    '--pid=host',
    '--cap-add=ALL',
    '-v',
    '--network=host',
    '--device=/dev/sda',
  ];
  const harmless = [
    '--rm',
    '-i',
    '-d',
    '-e',
    'A=1',
    '--name',
    'x',
    '--',
    '-',
    '-e=',
    '--name=',
    '-ie',
    '-dm64m',
    '-qu',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...harmless, ...dangerous), { maxLength: 6 }), (words) => {
      const decision = decide(`docker run ${words.join(' ')} busybox`, 'me');
      if (!decision.allowed) return;
      for (const word of decision.argv) {
        if (!dangerous.includes(word)) continue;
        // It got through: then pflag reads it as the value of another flag, or as an argument.
        if (isFlag(decision.argv.slice(2 + decision.injected.length), word)) {
          expect.fail(decision.argv.join(' '));
        }
      }
    }),
    { numRuns: 500 },
  );
});

/** Whether pflag, reading from the left, meets the word where it looks for flags. */
const isFlag = (words: readonly string[], wanted: string): boolean => {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--' || word === '-' || !word.startsWith('-')) return false;
    if (word === wanted) return true;
    // `-qu`, `-ie` and `--name` take the next word; `-e=` and `--name=` have their value already.
    if (/^(-[a-z]*[euv]|--name)$/.test(word)) at++;
  }
  return false;
};

test('a container whose network is joined has to be the learner’s own', () => {
  expect(decide('docker run -d --network container:mine busybox true', 'me')).toMatchObject({
    allowed: true,
    containers: ['mine'],
  });
});
