/** Was die Seite von einem Lauf erzählt, auf Deutsch. Die Fachwörter des Feldes bleiben, wie man sie sagt. */
import type { Actor } from '@engine-room/engine/protocol/trace/event.ts';
import type { Messages } from './messages.ts';
import type { story as english } from './en-story.ts';

/** Wer, wen, wem. */
const FORMS: Readonly<Partial<Record<Actor, readonly [string, string, string]>>> = {
  docker: ['die docker-CLI', 'die docker-CLI', 'der docker-CLI'],
  client: ['der Client', 'den Client', 'dem Client'],
  shim: ['der Shim', 'den Shim', 'dem Shim'],
  container: ['der Container', 'den Container', 'dem Container'],
  kernel: ['der Kernel', 'den Kernel', 'dem Kernel'],
  lab: ['das Lab', 'das Lab', 'dem Lab'],
};

const who = (actor: Actor): string => FORMS[actor]?.[0] ?? actor;
const whom = (actor: Actor): string => FORMS[actor]?.[1] ?? actor;
const toWhom = (actor: Actor): string => FORMS[actor]?.[2] ?? actor;

/** Am Satzanfang; dockerd und containerd bleiben klein, wie in ps. */
const Who = (actor: Actor): string => who(actor).replace(/^d(er|ie|as) /, 'D$1 ');

const LABELS = {
  docker: 'docker CLI',
  client: 'Client',
  dockerd: 'dockerd',
  containerd: 'containerd',
  shim: 'Shim',
  runc: 'runc',
  container: 'Container',
  kernel: 'Linux-Kernel',
  lab: 'Lab',
} as const;

const caller = (actor: Actor): string => (actor === 'container' ? 'Init' : Who(actor));

export const story: Pick<Messages, keyof typeof english> = {
  actors: LABELS,
  tell: {
    the: who,
    output: (size, stream, quote) => `Der Container schreibt ${size} nach ${stream}${quote}`,
    quote: (text) => `: „${text}“`,
    lost: (count, actor, pid) =>
      `${count} Ereignisse von ${toWhom(actor)} (pid ${pid}) sind verloren gegangen`,
    signal: (from, signal, to) => `${Who(from)} schickt ${toWhom(to)} ${signal}`,
    runs: (from, command) => `${Who(from)} startet ${command}`,
    done: (from, to, what) => `${Who(from)} meldet ${toWhom(to)}: ${what} ist erledigt`,
    answers: (from, to, what) => `${Who(from)} antwortet ${toWhom(to)}: ${what}`,
    rawStream: '101, die Verbindung ist jetzt ein roher Datenstrom',
    tells: (from, to, what, over) => `${Who(from)} meldet ${toWhom(to)}${over}: ${what}`,
    fifo: (from, to, what) => `${Who(from)} schreibt ${toWhom(to)} durch ein FIFO: ${what}`,
    asks: (from, to, what) => `${Who(from)} fragt ${whom(to)} an: ${what}`,
    asksTo: (from, to, purpose, over) => `${Who(from)} bittet ${whom(to)}${over}, ${purpose}`,
    fromImage: (purpose, image) => `aus ${image} ${purpose}`,
    command: (words) => `„${words}“`,
    over: (protocol) => ` über ${protocol}`,
    initBorn: (pid, ppid) =>
      `Der erste Prozess des Containers entsteht: pid ${pid}, Kind von pid ${ppid}`,
    born: (actor, pid, ppid) =>
      `Ein Prozess für ${whom(actor)} entsteht: pid ${pid}, Kind von pid ${ppid}`,
    becomes: (pid, command) => `Pid ${pid} wird zu ${command}`,
    claims: (emitter, actor, pid) =>
      `${Who(emitter)} nimmt einen wartenden Prozess als ${LABELS[actor]}: pid ${pid}`,
    reparented: (pid, ppid) => `Pid ${pid} bekommt einen neuen Elternprozess: pid ${ppid}`,
    gone: (actor, pid) =>
      `${Who(actor)} (pid ${pid}) ist weg; den Exit-Code sah nur der Elternprozess`,
    diesOf: (actor, pid, signal, code) =>
      `${Who(actor)} (pid ${pid}) stirbt an ${signal}; der Exit-Code ist ${code}`,
    exits: (actor, pid, code) => `${Who(actor)} (pid ${pid}) endet mit Exit-Code ${code}`,
    calls: (actor, call, title) => `${caller(actor)} ruft ${call} auf: ${title}`,
    callsIgnored: (actor, call, title, errno) =>
      `${caller(actor)} ruft ${call} auf: ${title} (${errno}, das darf sein)`,
    callFails: (actor, call, title, errno) =>
      `${caller(actor)} scheitert bei ${call} mit ${errno}: ${title}`,
    handles: (actor, what) => `${Who(actor)} beginnt, ${what} zu bearbeiten`,
    prepares: (actor, what) => `${Who(actor)} bereitet den Aufruf ${what} vor`,
    begins: (actor, what) => `${Who(actor)} beginnt mit ${what}`,
    probes: (actor, container) =>
      `${Who(actor)} fragt ${container}, wie es ihm geht: ein Healthcheck`,
    restarts: (actor, container) =>
      `${Who(actor)} startet ${container} neu: Die Neustart-Regel greift`,
    itsWork: 'der eigenen Arbeit',
    fails: (actor, what, reason) =>
      `${Who(actor)} scheitert an ${what}: ${reason ?? 'ohne Angabe von Gründen'}`,
    isDone: (actor, what, lasted) =>
      `${Who(actor)} ist fertig mit ${what}${lasted === null ? '' : ` nach ${lasted}`}`,
    prints: (program, text) => `${program} gibt aus: ${text}`,
    tooLong: (seconds) => `Das Lab beendet den Lauf: Er dauerte länger als ${seconds} s`,
    tooMuch: (size) => `Das Lab beendet den Lauf: Er schrieb mehr als ${size}`,
    livesOn: (actor, pid, ppid) =>
      `${Who(actor)} lebt weiter: immer noch pid ${pid}, Kind von pid ${ppid}`,
    isGone: (actor, pid) =>
      `${Who(actor)} ist weg: Eine pid ${pid} mit dieser Startzeit gibt es nicht mehr`,
    adopts: (actor, pid) =>
      `${Who(actor)} findet den Container laufend und übernimmt ihn: pid ${pid}`,
    isHeld: (actor, where) => `${Who(actor)} wird an einem Gate gehalten: ${where}`,
    goesOn: (actor, reason) => `${Who(actor)} macht weiter: ${reason}`,
    reconnects: (actor) => `${Who(actor)} verbindet sich wieder mit dem Shim, der gewartet hat`,
    moment: (actor, what) => `${Who(actor)}: ${what}`,
    afterSignal: (signal, actor) => `Nach ${signal} an ${whom(actor)}`,
    journey: (from, to, what) => `${from} an ${to}: ${what}`,
  },
  atGate: {
    'request-accepted': 'Anfrage angenommen, noch nichts getan',
    'shim-listening': 'Shim lauscht, noch kein Container',
    'rootfs-mounted': 'Root-Dateisystem eingehängt, noch kein Prozess',
    'created-not-started': 'Container angelegt, nicht gestartet',
    'exited-not-reaped': 'Container beendet, noch nicht abgeholt',
    'runc/clone3': 'Cgroup angelegt, noch kein Prozess',
    'init/pivot_root': 'Mounts gemacht, das Root ist noch das alte',
    'init/execve': 'alles gebaut, noch nicht das Programm',
  },
  beforeCall: (call, isInit) => `vor ${call} von ${isInit ? 'Init im Container' : 'runc'}`,
  status: {
    gets: (what) => `bekommt ${what}`,
    receives: (what) => `empfängt ${what}`,
    held: (where) => `gehalten: ${where}`,
    waitsFor: (actor) => `wartet auf ${whom(actor).replace(/^(den|die|das) /, '')}`,
    works: 'arbeitet',
    runs: 'läuft',
    idle: 'untätig',
    notStarted: 'nicht gestartet',
    notAsked: 'noch nicht gefragt',
    calls: (count) => `${count} Systemaufruf${count === 1 ? '' : 'e'}`,
    runsProgram: (program) => `führt ${program} aus`,
    notBuilt: 'runc konnte ihn nicht bauen',
    waitsOnFifo: 'wartet an exec.fifo',
    isBuilt: 'wird gebaut',
    joinedEnded: (how) => `wer dazukam, ist beendet: ${how}`,
    joins: 'ein Prozess kommt dazu',
    runsAlso: (program) => `führt auch ${program} aus`,
    ended: 'beendet',
    exit: (code) => `Exit ${code}`,
    after: (how, lasted) => `${how} nach ${lasted}`,
    fromOutside: (words) => `von außen gesehen: ${words}`,
    notOurs: 'nicht gesehen: Der Shim ist nicht unserer',
    notInPath: 'nicht auf dem Weg',
    notSeen: 'nicht gesehen',
  },
  chips: {
    mount: 'Mounts',
    root: 'neues Root',
    device: 'Geräte',
    network: 'Netzwerk',
    identity: 'Identität',
    limit: 'rlimits',
    capability: 'Capabilities',
    seccomp: 'seccomp-Filter',
    namespace: (kind) => `${kind}-ns`,
    port: 'Port',
    cpu: (count) => `${count} CPU`,
    pids: (count) => `${count} pids`,
  },
  changes: {
    waits: (from, to, what) => `${LABELS[from]} wartet auf ${LABELS[to]}: ${what}`,
    works: (actor, what) => `${LABELS[actor]} arbeitet an ${what}`,
    output: (size) => `${size} Ausgabe`,
    process: (process) => `Prozess ${process}`,
    parent: (process, from, to) => `Elternprozess von ${process}: ${from} → ${to}`,
    isNow: (process, command) => `${process} ist jetzt ${command}`,
    exit: (process, how) => `Prozess ${process}: ${how}`,
    namespace: (kind) => `${kind}-Namespace`,
    namespaceIs: (kind, inode) => `${kind}-Namespace ist ${inode}`,
  },
  fate: {
    replaced: (pid, after) =>
      `starb und ist${after === null ? '' : ` nach ${after}`} als pid ${pid} wieder da`,
    whyReplaced:
      'er nichts hält, was ein Container braucht; wer ihn überwacht, darf einen neuen starten',
    died: (how) => `starb: ${how}`,
    seenGone: 'nicht mehr da',
    gone: 'ist weg',
    same: (pid, tick) => `derselbe Prozess: pid ${pid}, gestartet bei Tick ${tick}`,
    gets: (signal) => `bekommt ${signal}`,
    theLab: 'das Lab es geschickt hat',
    labSent: (signal) => `das Lab ${signal} geschickt hat`,
    goesOn: 'macht weiter: hat seitdem von Arbeit erzählt',
    alone: (actor) => `das Signal allein ${toWhom(actor)} galt`,
    noNews: 'keine Nachricht von einem Tod',
    silent: 'der Trace nach dem Signal nichts davon sagt',
    connected: (actor) => `die Verbindung zu ${toWhom(actor)} ging`,
    goodOrder:
      'ein dockerd, der geordnet anhält, auch seine Container anhält, außer mit live-restore',
    orphan: 'containerd beendet, was ein toter Shim hinterlässt: Niemand holte es sonst ab',
    noWatch: 'der Container beendet ist und es nichts mehr zu bewachen gibt',
    outlive: (actor) => `es ohne ${whom(actor)} nicht weiterging`,
    another: 'das Signal einem anderen Prozess galt',
    parent: (actor, pid, holds, isAdopted) =>
      `${actor === null ? `pid ${pid}` : `${who(actor)}, pid ${pid},`} der Elternprozess ist${actor === null ? ' und kein Daemon' : ''}` +
      (holds ? ' und Ausgabe und Exit-Code hält' : '') +
      (isAdopted ? '; der neue dockerd hat ihn wiedergefunden' : ''),
  },
  layers: {
    resolving: (actor, image) => `${Who(actor)} fragt die Registry, woraus ${image} besteht`,
    resolved: (actor, manifest) => `${Who(actor)} kennt nun die Schichten: Manifest ${manifest}`,
    fetching: (actor, size, blob) => `${Who(actor)} holt ${size} von der Registry: Blob ${blob}`,
    preparing: (actor) =>
      `${Who(actor)} legt einen Snapshot an: einen eigenen Ordner für das, was nun geschrieben wird`,
    unpacking: (actor, size, blob) =>
      `${Who(actor)} entpackt ${size} in den Snapshot: Blob ${blob}`,
    sealing: (actor, snapshot) =>
      `${Who(actor)} schließt Snapshot ${snapshot} ab: Von nun an ist er nur lesbar`,
    arriving: (actor, some, all, blob) => `${Who(actor)} hat ${some} von ${all} des Blobs ${blob}`,
    verified: (actor, size, blob) =>
      `${Who(actor)} hat unterwegs ${size} gehasht: Es ist der Blob ${blob}`,
    applied: (actor, entries, size) => `${Who(actor)} hat ${entries} Einträge entpackt, ${size}`,
    copied: (actor) =>
      `${Who(actor)} kopiert die ganze Schicht darunter, denn es gibt kein overlayfs`,
    empty: (actor, snapshot) =>
      `${Who(actor)} legt einen leeren Ordner für die Schicht an: Snapshot ${snapshot}`,
    stacks: (actor, below) => `${Who(actor)} stapelt nur lesbar ${below}`,
    stacksOver: (actor, snapshot, below) =>
      `${Who(actor)} stapelt den schreibbaren Snapshot ${snapshot} über nur lesbare ${below}`,
    noName: 'noch ohne Namen',
  },
  units: {
    bytes: (count) => `${count} Byte${count === 1 ? '' : 's'}`,
  },
  purposes: {
    ping: 'zu sagen, welche API-Version gilt',
    pong: 'auf ein Ping zu antworten',
    create: 'einen Container anzulegen',
    attach: 'die Ausgabe über diese Verbindung zu schicken',
    wait: 'zu melden, wann der Container endet',
    start: 'den Container zu starten',
    stop: 'den Container anzuhalten',
    kill: 'dem Container ein Signal zu schicken',
    resize: 'die Größe des Terminals zu ändern',
    logs: 'die Logs zu schicken',
    containers: 'die Container aufzulisten',
    container: 'den Container zu beschreiben',
    remove: 'den Container zu entfernen',
    pull: 'das Image zu holen',
    images: 'die Images aufzulisten',
    removeImage: 'das Image zu entfernen',
    image: 'das Image zu beschreiben',
    version: 'die eigene Version zu nennen',
    info: 'sich selbst zu beschreiben',
    events: 'Ereignisse zu schicken, sobald sie geschehen',
    record: 'den Container zu verzeichnen',
    lookUp: 'den Container nachzuschlagen',
    changeRecord: 'den Eintrag des Containers zu ändern',
    forget: 'den Container zu vergessen',
    listContainers: 'die eigenen Container aufzulisten',
    prepareLayer: 'eine schreibbare Schicht über dem Image vorzubereiten',
    mounts: 'zu sagen, wie die Schichten einzuhängen sind',
    removeLayer: 'die schreibbare Schicht zu entfernen',
    lookUpLayer: 'eine Schicht nachzuschlagen',
    lookUpImage: 'das Image nachzuschlagen',
    listImages: 'die eigenen Images aufzulisten',
    recordImage: 'das Image zu verzeichnen',
    forgetImage: 'das Image zu vergessen',
    readBlob: 'einen Blob zu lesen',
    writeBlob: 'einen Blob abzulegen',
    labelBlob: 'einen Blob zu beschriften',
    unpackLayer: 'eine Schicht in den Snapshot zu entpacken',
    closeLayer: 'den Snapshot als Schicht abzuschließen',
    holdContent: 'Angekommenes mit der Lease zu bewahren',
    lookUpBlob: 'einen Blob nachzuschlagen',
    lease: 'neue Inhalte vor dem Aufräumen zu bewahren',
    endLease: 'eine Lease freizugeben',
    createTask: 'den Task anzulegen',
    startTask: 'den Task zu starten',
    waitTask: 'zu melden, wann der Task endet',
    deleteTask: 'den Task zu löschen',
    killTask: 'dem Task ein Signal zu schicken',
    task: 'zu sagen, wie es um den Task steht',
    exec: 'einen weiteren Prozess vorzubereiten',
    resizeTerminal: 'die Größe des Terminals zu ändern',
    closeInput: 'die Standardeingabe zu schließen',
    connect: 'sich vorzustellen',
    pids: 'die eigenen Prozesse aufzulisten',
    leave: 'zu gehen',
    passOn: 'ein Ereignis weiterzureichen',
    publish: 'ein Ereignis bekannt zu geben',
    health: 'zu sagen, ob alles in Ordnung ist',
    plugins: 'die eigenen Plugins aufzulisten',
  },
};
