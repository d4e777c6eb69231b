import { describe, expect, test } from 'vitest';
import { decideTerminal } from './terminal.ts';

describe('what the page’s terminal may open', () => {
  test.each([
    ['docker exec -it mine sh', { container: 'mine', command: ['sh'], user: null, workdir: null }],
    [
      "docker exec -ti -u 1000 -w /tmp mine sh -c 'echo $HOME; id'",
      { container: 'mine', command: ['sh', '-c', 'echo $HOME; id'], user: '1000', workdir: '/tmp' },
    ],
    [
      'docker exec --interactive --tty mine ls -it',
      { container: 'mine', command: ['ls', '-it'], user: null, workdir: null },
    ],
  ])('%s', (line, wish) => {
    expect(decideTerminal(line)).toEqual(wish);
  });

  test.each([
    ['docker run -it busybox sh', 'only docker exec'],
    ['docker exec mine sh', 'docker exec -it'],
    ['docker exec -it -d mine sh', 'without -d'],
    ['docker exec -it mine', 'docker exec -it what?'],
    ['docker exec -it --privileged mine sh', 'root'],
    ['docker exec -it --env-file /etc/shadow mine env', 'files'],
    ['docker exec -it -e A=b mine sh', 'inside'],
    ['docker -H tcp://elsewhere exec -it mine sh', 'another engine'],
    ['docker exec -it mine sh; id', 'shell'],
    ['bash', 'only docker commands'],
    ['', 'type a docker command'],
  ])('%s is refused', (line, words) => {
    const decision = decideTerminal(line);

    expect(decision).toMatchObject({
      allowed: false,
      message: expect.stringContaining(words) as string,
    });
  });
});
