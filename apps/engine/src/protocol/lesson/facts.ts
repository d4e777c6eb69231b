/**
 * What a lesson may ask about the machine: a closed list of facts, each with one meaning on every kernel.
 * A lesson never says where a fact is read (cgroup v1 or v2, which file, which API): the lab knows.
 */

/** `container`: of a container by its name. `process`: also of a daemon or a shim. `run`: of a trace. `engine`: of all. */
export type FactSubject = 'container' | 'volume' | 'process' | 'run' | 'engine';

export interface FactMeaning {
  readonly about: FactSubject;
  /** What the value is, as the end of "The lab looked at …". */
  readonly words: string;
  /** The parameter that it needs beside its subject. */
  readonly needs?: 'match' | 'actor' | 'path';
}

export const FACTS = {
  'container.exists': { about: 'container', words: 'whether dockerd knows the container' },
  'container.state': { about: 'container', words: 'the state in docker inspect' },
  'container.pid': { about: 'container', words: 'State.Pid in docker inspect' },
  'container.exitCode': { about: 'container', words: 'State.ExitCode in docker inspect' },
  'container.image': { about: 'container', words: 'Config.Image in docker inspect' },
  'container.stdoutHolders': {
    about: 'container',
    words: 'who has the other end of the container’s stdout open, in /proc/<pid>/fd',
  },
  'process.pid': { about: 'process', words: 'the pid on the host' },
  'process.alive': { about: 'process', words: 'whether /proc still has the process' },
  'process.parent': { about: 'process', words: 'PPid in /proc/<pid>/status' },
  'process.startTime': { about: 'process', words: 'field 22 of /proc/<pid>/stat' },
  'ns.pid': { about: 'process', words: 'the inode of /proc/<pid>/ns/pid' },
  'ns.mnt': { about: 'process', words: 'the inode of /proc/<pid>/ns/mnt' },
  'ns.net': { about: 'process', words: 'the inode of /proc/<pid>/ns/net' },
  'ns.uts': { about: 'process', words: 'the inode of /proc/<pid>/ns/uts' },
  'ns.ipc': { about: 'process', words: 'the inode of /proc/<pid>/ns/ipc' },
  'ns.user': { about: 'process', words: 'the inode of /proc/<pid>/ns/user' },
  'cgroup.memory.limit': { about: 'container', words: 'the memory limit of the cgroup, in bytes' },
  'cgroup.memory.oomKills': { about: 'container', words: 'how often the cgroup ran out of memory' },
  'cgroup.pids.limit': { about: 'container', words: 'the process limit of the cgroup' },
  'cgroup.processes': { about: 'container', words: 'the number of pids in cgroup.procs' },
  'layer.writable.has': {
    about: 'container',
    words: 'whether the writable layer (upperdir) has the file',
    needs: 'path',
  },
  'layer.image.has': {
    about: 'container',
    words: 'whether a layer of the image (lowerdir) has the file',
    needs: 'path',
  },
  'volume.exists': { about: 'volume', words: 'whether dockerd knows the volume' },
  'volume.has': {
    about: 'volume',
    words: 'whether the folder of the volume has the file',
    needs: 'path',
  },
  'volume.folder': {
    about: 'volume',
    words: 'which folder of the host the volume is, as stat(2) tells it',
  },
  'container.folder': {
    about: 'container',
    words: 'which folder the container finds at the path, as stat(2) tells it',
    needs: 'path',
  },
  'net.interfaces': { about: 'container', words: 'the interfaces in /proc/<pid>/net/dev' },
  'net.addresses': {
    about: 'container',
    words: 'the addresses of its own in /proc/<pid>/net/fib_trie',
  },
  'net.gateway': { about: 'container', words: 'the default route in /proc/<pid>/net/route' },
  'net.gatewayIsHost': {
    about: 'container',
    words: 'whether the gateway is an address of the host',
  },
  'net.listens': {
    about: 'container',
    words: 'the TCP ports on which somebody listens in its network, in /proc/<pid>/net/tcp',
  },
  'trace.exitCode': { about: 'run', words: 'the exit code of the client' },
  'trace.output': { about: 'run', words: 'what the container wrote' },
  'trace.printed': { about: 'run', words: 'what the client printed' },
  'trace.actors': { about: 'run', words: 'the programs, in the order of their first event' },
  'trace.actorCount': { about: 'run', words: 'how many programs have an event' },
  'trace.has': { about: 'run', words: 'whether the trace has the event', needs: 'match' },
  'trace.count': { about: 'run', words: 'how many such events the trace has', needs: 'match' },
  'trace.pid': { about: 'run', words: 'the pid that the trace tells', needs: 'actor' },
  'trace.startTime': { about: 'run', words: 'the start time that the trace tells', needs: 'actor' },
  'trace.heldPid': { about: 'run', words: 'the pid of the process that was held at the gate' },
  'trace.lifeMs': {
    about: 'run',
    words: 'milliseconds from birth to death in the trace',
    needs: 'actor',
  },
  'trace.longest': {
    about: 'run',
    words: 'who was at work for the longest time, in the median of the runs',
  },
  'trace.workMs': {
    about: 'run',
    words: 'for how many milliseconds it was at work, in the median of the runs',
    needs: 'actor',
  },
  'engine.requests': {
    about: 'engine',
    words: 'requests of clients other than the docker CLI and this page',
    needs: 'match',
  },
} as const satisfies Readonly<Record<string, FactMeaning>>;

export type FactName = keyof typeof FACTS;
export const FACT_NAMES = Object.keys(FACTS) as [FactName, ...FactName[]];
export const meaningOf = (name: FactName): FactMeaning => FACTS[name];
