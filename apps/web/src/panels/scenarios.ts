/** Command lines worth running first, each for one thing that it shows. */
export interface Scenario {
  readonly name: string;
  readonly command: string;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'Echo hello', command: 'docker run --rm busybox echo hello' },
  { name: 'hello-world', command: 'docker run --rm hello-world' },
  { name: 'Exit code 7', command: "docker run --rm busybox sh -c 'exit 7'" },
  {
    name: 'Memory limit (killed)',
    command: "docker run --rm -m 32m busybox sh -c 'tail /dev/zero'",
  },
  {
    name: 'What the container sees',
    command: "docker run --rm --hostname engine-room busybox sh -c 'hostname; ps; id'",
  },
  {
    name: 'Output and errors apart',
    command: "docker run --rm busybox sh -c 'echo out; echo err >&2'",
  },
  { name: 'Program not found', command: 'docker run --rm busybox nosuchprogram' },
  { name: 'Image not found', command: 'docker run --rm no-such-image true' },
  {
    name: 'Detached: start a loop',
    command: "docker run -d --name ticker busybox sh -c 'while true; do date; sleep 1; done'",
  },
  { name: 'Detached: its logs', command: 'docker logs ticker' },
  { name: 'Detached: stop it', command: 'docker stop -t 2 ticker' },
  { name: 'Detached: remove it', command: 'docker rm ticker' },
  { name: 'List containers', command: 'docker ps -a' },
];
