/** Programs of the lab's own that a lesson may run by name: a closed list, and what they do stands in the lab. */
export const PROGRAMS = [
  'list-containers/main.go',
  'list-containers/list.ts',
  'list-containers/list.py',
  'list-containers/list.sh',
  'dockerd-on-tcp/ask.sh',
  'socket-is-root/read-the-file',
  'socket-is-root/ask-docker',
  'socket-is-root/list-through-the-proxy',
  'socket-is-root/ask-docker-through-the-proxy',
] as const;
export type ProgramName = (typeof PROGRAMS)[number];
