/** Command lines worth running first, each for one thing that it shows. */
import type { Messages } from '../messages/messages.ts';

export interface Scenario {
  readonly name: keyof Messages['scenarios'];
  readonly command: string;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'hello', command: 'docker run --rm busybox echo hello' },
  { name: 'helloWorld', command: 'docker run --rm hello-world' },
  { name: 'exitCode', command: "docker run --rm busybox sh -c 'exit 7'" },
  {
    name: 'memory',
    command: "docker run --rm -m 32m busybox sh -c 'tail /dev/zero'",
  },
  {
    name: 'sees',
    command: "docker run --rm --hostname engine-room busybox sh -c 'hostname; ps; id'",
  },
  {
    name: 'streams',
    command: "docker run --rm busybox sh -c 'echo out; echo err >&2'",
  },
  { name: 'noProgram', command: 'docker run --rm busybox nosuchprogram' },
  { name: 'noImage', command: 'docker run --rm no-such-image true' },
  {
    name: 'detached',
    command: "docker run -d --name ticker busybox sh -c 'while true; do date; sleep 1; done'",
  },
  { name: 'logs', command: 'docker logs ticker' },
  { name: 'stop', command: 'docker stop -t 2 ticker' },
  { name: 'remove', command: 'docker rm ticker' },
  { name: 'list', command: 'docker ps -a' },
];
