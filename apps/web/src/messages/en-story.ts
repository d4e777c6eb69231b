/**
 * What the page tells of a run, in English: one sentence for each kind of event, and what actors do at the playhead.
 * Active voice, the field's words. dockerd and containerd keep their small letter, as in ps.
 */
import type { Actor } from '@engine-room/engine/protocol/trace/event.ts';

const NAMES: Readonly<Partial<Record<Actor, string>>> = {
  docker: 'the docker CLI',
  client: 'the client',
  shim: 'the shim',
  container: 'the container',
  kernel: 'the kernel',
  lab: 'the lab',
};

const the = (actor: Actor): string => NAMES[actor] ?? actor;

/** At the beginning of a sentence. */
const The = (actor: Actor): string => the(actor).replace(/^the /, 'The ');

/** On nodes and in tables. */
const LABELS = {
  docker: 'docker CLI',
  client: 'client',
  dockerd: 'dockerd',
  containerd: 'containerd',
  shim: 'shim',
  runc: 'runc',
  container: 'container',
  kernel: 'Linux kernel',
  lab: 'lab',
} as const;

export const story = {
  actors: LABELS,
  tell: {
    the,
    output: (size: string, stream: string, quote: string) =>
      `The container writes ${size} to ${stream}${quote}`,
    quote: (text: string) => `: “${text}”`,
    lost: (count: number, actor: Actor, pid: number) =>
      `${count} events of ${the(actor)} (pid ${pid}) were lost`,
    signal: (from: Actor, signal: string, to: Actor) =>
      `${The(from)} sends ${signal} to ${the(to)}`,
    runs: (from: Actor, command: string) => `${The(from)} runs ${command}`,
    done: (from: Actor, to: Actor, what: string) =>
      `${The(from)} tells ${the(to)}: ${what} is done`,
    answers: (from: Actor, to: Actor, what: string) => `${The(from)} answers ${the(to)}: ${what}`,
    rawStream: '101, the connection is now a raw stream',
    tells: (from: Actor, to: Actor, what: string, over: string) =>
      `${The(from)} tells ${the(to)}: ${what}${over}`,
    fifo: (from: Actor, to: Actor, what: string) =>
      `${The(from)} writes to ${the(to)} through a FIFO: ${what}`,
    asks: (from: Actor, to: Actor, what: string) => `${The(from)} asks ${the(to)}: ${what}`,
    asksTo: (from: Actor, to: Actor, purpose: string, over: string) =>
      `${The(from)} asks ${the(to)} to ${purpose}${over}`,
    fromImage: (purpose: string, image: string) => `${purpose} from ${image}`,
    command: (words: string) => `“${words}”`,
    over: (protocol: string) => ` over ${protocol}`,
    initBorn: (pid: number, ppid: string) =>
      `The container's first process is born as pid ${pid}, a child of pid ${ppid}`,
    born: (actor: Actor, pid: number, ppid: string) =>
      `A process for ${the(actor)} is born: pid ${pid}, child of pid ${ppid}`,
    becomes: (pid: number, command: string) => `Pid ${pid} becomes ${command}`,
    claims: (emitter: Actor, actor: Actor, pid: number) =>
      `${The(emitter)} claims a waiting process as ${the(actor)}: pid ${pid}`,
    reparented: (pid: number, ppid: string) => `Pid ${pid} gets a new parent: pid ${ppid}`,
    gone: (actor: Actor, pid: number) =>
      `${The(actor)} (pid ${pid}) is gone; its exit code was its parent's to see`,
    diesOf: (actor: Actor, pid: number, signal: string, code: number) =>
      `${The(actor)} (pid ${pid}) dies of ${signal}; its exit code is ${code}`,
    exits: (actor: Actor, pid: number, code: number) =>
      `${The(actor)} (pid ${pid}) exits with code ${code}`,
    calls: (actor: Actor, call: string, title: string) =>
      `${actor === 'container' ? 'Init' : The(actor)} calls ${call}: ${title}`,
    callsIgnored: (actor: Actor, call: string, title: string, errno: string) =>
      `${actor === 'container' ? 'Init' : The(actor)} calls ${call}: ${title} (${errno}, which may be)`,
    callFails: (actor: Actor, call: string, title: string, errno: string) =>
      `${actor === 'container' ? 'Init' : The(actor)} calls ${call} and fails with ${errno}: ${title}`,
    handles: (actor: Actor, what: string) => `${The(actor)} begins to handle ${what}`,
    prepares: (actor: Actor, what: string) => `${The(actor)} makes ready to call ${what}`,
    begins: (actor: Actor, what: string) => `${The(actor)} begins ${what}`,
    probes: (actor: Actor, container: string) =>
      `${The(actor)} asks ${container} how it is: a health check`,
    restarts: (actor: Actor, container: string) =>
      `${The(actor)} starts ${container} again: its restart policy acts`,
    itsWork: 'its work',
    fails: (actor: Actor, what: string, reason: string | undefined) =>
      `${The(actor)} fails at ${what}: ${reason ?? 'no reason given'}`,
    isDone: (actor: Actor, what: string, lasted: string | null) =>
      `${The(actor)} is done with ${what}${lasted === null ? '' : ` after ${lasted}`}`,
    prints: (program: string, text: string) => `${program} prints: ${text}`,
    tooLong: (seconds: number) => `The lab ends the run: it took longer than ${seconds} s`,
    tooMuch: (size: string) => `The lab ends the run: it wrote more than ${size}`,
    livesOn: (actor: Actor, pid: string, ppid: string) =>
      `${The(actor)} lives on: still pid ${pid}, child of pid ${ppid}`,
    isGone: (actor: Actor, pid: string) =>
      `${The(actor)} is gone: there is no pid ${pid} of that start time any more`,
    adopts: (actor: Actor, pid: string) =>
      `${The(actor)} finds the container running and takes it over: pid ${pid}`,
    isHeld: (actor: Actor, where: string) => `${The(actor)} is held at a gate: ${where}`,
    goesOn: (actor: Actor, reason: string) => `${The(actor)} goes on: ${reason}`,
    reconnects: (actor: Actor) => `${The(actor)} connects to the shim again, which has waited`,
    moment: (actor: Actor, what: string) => `${The(actor)}: ${what}`,
    afterSignal: (signal: string, actor: Actor) => `After ${signal} to ${the(actor)}`,
    journey: (from: string, to: string, what: string) => `${from} to ${to}: ${what}`,
  },
  atGate: {
    'request-accepted': 'request accepted, nothing done yet',
    'shim-listening': 'shim listening, no container yet',
    'rootfs-mounted': 'root filesystem mounted, no process yet',
    'created-not-started': 'container created, not started',
    'exited-not-reaped': 'container exited, not reaped',
    'runc/clone3': 'cgroup made, no process yet',
    'init/pivot_root': 'mounts made, the root is still the old one',
    'init/execve': 'everything built, not yet the program',
  },
  beforeCall: (call: string, isInit: boolean) =>
    `before ${call} of ${isInit ? "the container's init" : 'runc'}`,
  status: {
    gets: (what: string) => `gets ${what}`,
    receives: (what: string) => `receives ${what}`,
    held: (where: string) => `held: ${where}`,
    waitsFor: (actor: Actor) => `waits for ${the(actor).replace(/^the /, '')}`,
    works: 'works',
    runs: 'runs',
    idle: 'idle',
    notStarted: 'not started',
    notAsked: 'not asked yet',
    calls: (count: number) => `${count} system call${count === 1 ? '' : 's'}`,
    runsProgram: (program: string) => `runs ${program}`,
    notBuilt: 'runc failed to build it',
    waitsOnFifo: 'waits on exec.fifo',
    isBuilt: 'is being built',
    joinedEnded: (how: string) => `who joined has ended: ${how}`,
    joins: 'a process joins it',
    runsAlso: (program: string) => `runs also ${program}`,
    ended: 'ended',
    exit: (code: number | string) => `exit ${code}`,
    after: (how: string, lasted: string) => `${how} after ${lasted}`,
    fromOutside: (words: string) => `seen from outside: ${words}`,
    notOurs: 'not seen: the shim is not ours',
    notInPath: 'not in the path',
    notSeen: 'not seen',
  },
  chips: {
    mount: 'mounts',
    root: 'new root',
    device: 'devices',
    network: 'network',
    identity: 'identity',
    limit: 'rlimits',
    capability: 'capabilities',
    seccomp: 'seccomp filter',
    namespace: (kind: string) => `${kind} ns`,
    port: 'port',
    cpu: (count: number) => `${count} cpu`,
    pids: (count: string) => `${count} pids`,
  },
  changes: {
    waits: (from: Actor, to: Actor, what: string) =>
      `${LABELS[from]} waits for ${LABELS[to]}: ${what}`,
    works: (actor: Actor, what: string) => `${LABELS[actor]} works on ${what}`,
    output: (size: string) => `${size} of output`,
    process: (who: string) => `process ${who}`,
    parent: (who: string, from: string, to: string) => `parent of ${who}: ${from} → ${to}`,
    isNow: (who: string, command: string) => `${who} is now ${command}`,
    exit: (who: string, how: string) => `process ${who}: ${how}`,
    namespace: (kind: string) => `${kind} namespace`,
    namespaceIs: (kind: string, inode: string) => `${kind} namespace is ${inode}`,
  },
  fate: {
    replaced: (pid: number, after: string | null) =>
      `died, and is back as pid ${pid}${after === null ? '' : ` after ${after}`}`,
    whyReplaced:
      'it keeps nothing that a container needs, so whoever supervises it may start another',
    died: (how: string) => `died: ${how}`,
    seenGone: 'seen gone',
    gone: 'is gone',
    same: (pid: number, tick: string) => `same process: pid ${pid}, started at tick ${tick}`,
    gets: (signal: string) => `gets ${signal}`,
    theLab: 'the lab sent it',
    labSent: (signal: string) => `the lab sent it ${signal}`,
    goesOn: 'goes on: it has told of its work since',
    alone: (actor: Actor) => `the signal went to ${the(actor)} alone`,
    noNews: 'no news of its death',
    silent: 'the trace does not speak of it after the signal',
    connected: (actor: Actor) => `it was connected to ${the(actor)}`,
    goodOrder: 'a dockerd that stops in good order stops its containers, unless live-restore is on',
    orphan: 'containerd kills what a dead shim leaves behind: nobody would reap it',
    noWatch: 'its container has ended, so there is nothing left to watch',
    outlive: (actor: Actor) => `it did not outlive ${the(actor)}`,
    another: 'the signal went to another process',
    parent: (actor: Actor | null, pid: number | null, holds: boolean, isAdopted: boolean) =>
      `its parent is ${actor === null ? `pid ${pid}, which is no daemon` : `${the(actor)}, pid ${pid}`}` +
      (holds ? ', and that holds its output and its exit code' : '') +
      (isAdopted ? '; the new dockerd has found it again' : ''),
  },
  layers: {
    resolving: (who: Actor, image: string) =>
      `${The(who)} asks the registry what ${image} is made of`,
    resolved: (who: Actor, manifest: string) =>
      `${The(who)} knows its layers now: manifest ${manifest}`,
    fetching: (who: Actor, size: string, blob: string) =>
      `${The(who)} fetches ${size} from the registry: blob ${blob}`,
    preparing: (who: Actor) =>
      `${The(who)} makes a snapshot: a folder of its own for what is written next`,
    unpacking: (who: Actor, size: string, blob: string) =>
      `${The(who)} unpacks ${size} into the snapshot: blob ${blob}`,
    sealing: (who: Actor, snapshot: string) =>
      `${The(who)} closes snapshot ${snapshot}: from now on it is read-only`,
    arriving: (who: Actor, some: string, all: string, blob: string) =>
      `${The(who)} has ${some} of ${all} of blob ${blob}`,
    verified: (who: Actor, size: string, blob: string) =>
      `${The(who)} has hashed ${size} on the way: they are blob ${blob}`,
    applied: (who: Actor, entries: number, size: string) =>
      `${The(who)} has unpacked ${entries} entries, ${size}`,
    copied: (who: Actor) => `${The(who)} copies the whole layer below, for there is no overlayfs`,
    empty: (who: Actor, snapshot: string) =>
      `${The(who)} makes an empty folder for the layer: snapshot ${snapshot}`,
    stacks: (who: Actor, below: string) => `${The(who)} stacks read-only ${below}`,
    stacksOver: (who: Actor, snapshot: string, below: string) =>
      `${The(who)} stacks writable snapshot ${snapshot} over read-only ${below}`,
    noName: 'without a name yet',
  },
  units: {
    bytes: (count: number) => `${count} byte${count === 1 ? '' : 's'}`,
  },
  /** Completes "dockerd asks containerd to …". */
  purposes: {
    ping: 'say which API version it speaks',
    pong: 'answer a ping',
    create: 'create a container',
    attach: 'stream its output over this connection',
    wait: 'say when the container ends',
    start: 'start the container',
    stop: 'stop the container',
    kill: 'signal the container',
    resize: 'resize its terminal',
    logs: 'send the logs',
    containers: 'list the containers',
    container: 'describe the container',
    remove: 'remove the container',
    pull: 'pull the image',
    images: 'list the images',
    removeImage: 'remove the image',
    image: 'describe the image',
    version: 'say its version',
    info: 'describe itself',
    events: 'send events as they happen',
    record: 'record the container',
    lookUp: 'look the container up',
    changeRecord: 'change its record of the container',
    forget: 'forget the container',
    listContainers: 'list its containers',
    prepareLayer: 'prepare a writable layer over the image',
    mounts: 'say how to mount the layers',
    removeLayer: 'remove the writable layer',
    lookUpLayer: 'look a layer up',
    lookUpImage: 'look the image up',
    listImages: 'list its images',
    recordImage: 'record the image',
    forgetImage: 'forget the image',
    readBlob: 'read a blob',
    writeBlob: 'store a blob',
    labelBlob: 'label a blob',
    unpackLayer: 'unpack a layer into the snapshot',
    closeLayer: 'close the snapshot as a layer',
    holdContent: 'keep what has come with the lease',
    lookUpBlob: 'look a blob up',
    lease: 'keep new content from being collected',
    endLease: 'let go of a lease',
    createTask: 'create the task',
    startTask: 'start the task',
    waitTask: 'say when the task exits',
    deleteTask: 'delete the task',
    killTask: 'signal the task',
    task: 'say how the task is',
    exec: 'prepare one more process',
    resizeTerminal: 'resize the terminal',
    closeInput: 'close its standard input',
    connect: 'say who it is',
    pids: 'list its processes',
    leave: 'leave',
    passOn: 'pass an event on',
    publish: 'publish an event',
    health: 'say whether it is well',
    plugins: 'list its plugins',
  },
} as const;
