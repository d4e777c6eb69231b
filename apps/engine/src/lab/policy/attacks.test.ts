/**
 * The policy as somebody attacks it who has the token and wants the machine: every flag that widens what a container
 * may do, in every spelling that the client's parser (pflag) takes, and everything that text can hide.
 */
import { describe, expect, test } from 'vitest';
import { decide } from './policy.ts';

const isAllowed = (line: string): boolean => decide(line, 'me').allowed;

/** Long name → a value that would hurt; null for a switch. */
const WIDENING: Readonly<Record<string, string | null>> = {
  'add-host': 'a:1.2.3.4',
  'blkio-weight': '10',
  'cap-add': 'ALL',
  'cgroup-parent': '/',
  cgroupns: 'host',
  cidfile: '/etc/passwd',
  'cpu-rt-runtime': '1',
  device: '/dev/sda',
  'device-cgroup-rule': 'a *:* rwm',
  'env-file': '/etc/shadow',
  gpus: 'all',
  'group-add': '0',
  ipc: 'host',
  'label-file': '/etc/shadow',
  'log-driver': 'syslog',
  'log-opt': 'a=b',
  'memory-swap': '-1',
  mount: 'type=bind,src=/,dst=/h',
  'oom-kill-disable': null,
  'oom-score-adj': '-1000',
  pid: 'host',
  privileged: null,
  publish: '22:22',
  'publish-all': null,
  restart: 'always',
  runtime: '/bin/sh',
  'security-opt': 'seccomp=unconfined',
  'shm-size': '1t',
  'storage-opt': 'size=1t',
  sysctl: 'kernel.core_pattern=x',
  tmpfs: '/x:exec',
  ulimit: 'core=-1',
  userns: 'host',
  uts: 'host',
  volume: '/:/h',
  'volume-driver': 'x',
  'volumes-from': 'x',
};
const SHORT = ['v/:/h', 'v=/:/h', 'p22:22', 'P', 'c512'];

describe.each(['run', 'create'])('docker %s', (command) => {
  test.each(Object.entries(WIDENING))('--%s is refused in every spelling', (name, value) => {
    const spellings =
      value === null
        ? [`--${name}`, `--${name}=true`, `--${name}=false`, `'--${name}'`]
        : [`--${name} '${value}'`, `'--${name}=${value}'`, `--${name}= '${value}'`];
    const places = ['', '--rm', '-i --name x', '-e A=b', '--rm --rm', '--network none', '-m 64m'];
    for (const spelling of spellings)
      for (const before of places)
        expect(isAllowed(`docker ${command} ${before} ${spelling} busybox`), spelling).toBe(false);
  });

  test.each(SHORT)('-%s is refused, alone and behind switches', (short) => {
    for (const cluster of ['', 'i', 't', 'iq'])
      expect(isAllowed(`docker ${command} '-${cluster}${short}' busybox`)).toBe(false);
  });

  test.each(['--vol=/:/h', '--priv', '--VOLUME=/:/h', '--Privileged', '-V/:/h', '---volume=/:/h'])(
    'what pflag does not know, the page does not guess: %s',
    (word) => expect(isAllowed(`docker ${command} ${word} busybox`)).toBe(false),
  );

  test('the last of a repeated flag does not excuse the first', () => {
    for (const words of [
      '-m 64g -m 64m',
      '-m 64m -m 64g',
      '--cpus 1 --cpus 0',
      '--net none --net host',
      '--network=host --network=none',
      '--pids-limit 10 --pids-limit=-1',
      '-l a=b -l engine-room.learner=you',
    ])
      expect(isAllowed(`docker ${command} ${words} busybox`), words).toBe(false);
  });

  test('a flag that looks like the value of another is one, and a value that looks like a flag is none', () => {
    expect(isAllowed(`docker ${command} --name= --privileged busybox`)).toBe(false);
    expect(isAllowed(`docker ${command} --rm=x --privileged busybox`)).toBe(false);
    // Here the client takes it as the name, and Docker refuses the name.
    expect(isAllowed(`docker ${command} --name --privileged busybox`)).toBe(true);
    expect(isAllowed(`docker ${command} -- busybox --privileged`)).toBe(true);
    expect(isAllowed(`docker ${command} busybox -- --privileged`)).toBe(true);
  });
});

test.each([
  'run -v notes:/data -v theirs:/theirs busybox',
  'run -v ../etc:/data busybox',
  'run -v ./x:/data busybox',
  'run -v /data busybox',
  'run -v notes:data busybox',
  'run -v notes:/data:rw,bind busybox',
  'run -v notes:/data:z:/x busybox',
  'run -v ~:/data busybox',
  'volume create -d local -o type=none -o device=/ -o o=bind all',
  'volume create --opt device=/ all',
  'volume create --label engine-room.learner=you x',
  'volume create',
  'volume prune -f',
  'volume update x',
])('a volume is no way to a folder of the machine: docker %s', (words) =>
  expect(isAllowed(`docker ${words}`)).toBe(false),
);

test.each([
  '-H tcp://1.2.3.4',
  '--host=tcp://x',
  '--context x',
  '-c x',
  '--config /tmp',
  '--tlscacert x',
  '-D',
])('no other engine and no other configuration: docker %s', (words) =>
  expect(isAllowed(`docker ${words} run busybox`)).toBe(false),
);

test.each([
  'build .',
  'cp x:/ /',
  'load -i /x',
  'login',
  'plugin install x',
  'push x',
  'system prune',
])('docker %s is not for the page', (words) => expect(isAllowed(`docker ${words}`)).toBe(false));

describe('what text can hide', () => {
  test.each(['\0', '\u0007', '\u001b[2J', '\n', '\r\n', '\u007f'])(
    '%j ends nothing and hides nothing',
    (text) => {
      expect(isAllowed(`docker run${text}--privileged busybox`)).toBe(false);
      expect(isAllowed(`docker run busybox ${text} echo`)).toBe(false);
    },
  );

  test.each(['\u00a0', '\u2003', '\u200b', '\ufeff', '\u2028'])('%j is no blank', (space) => {
    expect(isAllowed(`docker${space}run busybox`)).toBe(false);
    const decision = decide(`docker run busybox a${space}b`, 'me');
    expect(decision.allowed && decision.argv.at(-1)).toBe(`a${space}b`);
  });

  test.each(['\u2010\u2010privileged', '\u2014privileged', '\uff0d\uff0dprivileged'])(
    '%j looks like a flag and is an image',
    (word) => {
      const decision = decide(`docker run ${word} busybox`, 'me');
      expect(decision.allowed && decision.argv.slice(-2)).toEqual([word, 'busybox']);
    },
  );

  test('quotes inside of a word do not hide a flag', () => {
    for (const word of [`--priv"ileged"`, `'--'privileged`, `\\-\\-privileged`, `-''-privileged`])
      expect(isAllowed(`docker run ${word} busybox`), word).toBe(false);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    '%s is no command and no flag',
    (name) => {
      expect(isAllowed(`docker ${name}`)).toBe(false);
      expect(isAllowed(`docker run --${name} busybox`)).toBe(false);
    },
  );
});

test('a line of a megabyte is decided quickly', () => {
  const begin = performance.now();
  for (const part of ['a', '-', '{,', '"a" ', "'", '\\\\', '--name x ', '-e A=b '])
    decide(`docker run ${part.repeat(1_000_000 / part.length)}`, 'me');
  expect(performance.now() - begin).toBeLessThan(30_000);
});
