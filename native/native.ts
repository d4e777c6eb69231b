/**
 * The typed face of the native addon: the only way into it. Each function names its man page.
 * TypeScript checks arguments and explains mistakes; C only makes the calls.
 */

/** Failure of a system call: `code` is the errno's name, `errno` its number (positive), `syscall` the man page's name. */
export interface NativeError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
}

export interface SpawnRuncOptions {
  /** The encoded plan (libcontainer/plan/encode.ts). It is put into a sealed memfd. */
  readonly plan: Uint8Array;
  /** What becomes descriptor 0, 1 and 2 of runc, and so of the container. */
  readonly stdio: readonly [number, number, number];
  /** Handed over as descriptors 5, 6, … in this order (after plan = 3 and records = 4). */
  readonly extraFds?: readonly number[];
  /** argv of the helper as `ps` shows it; argv[0] is `runc`. */
  readonly argv: readonly string[];
  readonly cwd: string;
}

export interface SpawnedRunc {
  readonly pid: number;
  /** pidfd_open(2) descriptor of runc itself; readable when it has exited. The caller closes it. */
  readonly pidfd: number;
  /** Read end of the record pipe, non-blocking; EOF when runc and init (by execve or death) have let go. */
  readonly records: number;
}

export interface ExitStatus {
  readonly pid: number;
  /** Shell style: the exit code, or 128 + signal. */
  readonly code: number;
  readonly signal: number;
}

export interface Native {
  /** Starts the static helper from a sealed memfd without copying Node's address space. clone(2), execveat(2). */
  spawnRunc(options: SpawnRuncOptions): SpawnedRunc;
  /**
   * Starts a daemon that is nobody's child: double fork without copying the address space, setsid, stdio to `log`
   * (or /dev/null). Returns the pid of the grandchild. clone(2), setsid(2).
   */
  spawnDetached(options: {
    readonly file: string;
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    /** Descriptors 3, 4, … of the daemon. */
    readonly extraFds?: readonly number[];
    /** Path that gets stdout and stderr appended; /dev/null when absent. */
    readonly log?: string;
  }): number;

  /**
   * fork(2) of this whole process: true in the copy, which is a daemon with an event loop of its own and the same
   * descriptors. Only for a Node without threads of V8's. The copy must leave by `exitNow`.
   */
  forkTwin(): boolean;
  /**
   * In a copy at its end: the pages that it has changed are what later copies are born with, so that the kernel does not
   * copy them one by one while somebody waits. MADV_POPULATE_WRITE, Linux 5.14. Only from copies that are to tell: the
   * first ones until one has, and the next one after `askFootprint`.
   */
  leaveFootprint(): void;
  askFootprint(): void;
  /** All that this process has in memory lies elsewhere now, and what a copy has told is true no more. */
  forgetFootprint(): void;
  /**
   * What this process uses of its program between these two calls its copies have mapped from their birth, as of the next
   * `forgetFootprint`. madvise(2) MADV_POPULATE_READ, Linux 5.14.
   */
  dropProgram(): void;
  keepProgram(): void;
  /** What is mapped from now on lies together, in few page tables: V8 strews its heap over all addresses otherwise. */
  mapSideBySide(): void;
  /** _exit(2). */
  exitNow(code: number): never;

  /** prctl(PR_SET_CHILD_SUBREAPER). */
  setChildSubreaper(): void;
  /** pidfd_open(2): close-on-exec, non-blocking. */
  pidfdOpen(pid: number): number;
  /** pidfd_send_signal(2). */
  pidfdSendSignal(pidfd: number, signal: number): void;
  /** pidfd_getfd(2): a copy of what the process has under that number; close-on-exec. */
  pidfdGetFd(pidfd: number, fd: number): number;
  /** wait4(pid, WNOHANG): null while it lives. Never reaps children that libuv owns. */
  reap(pid: number): ExitStatus | null;
  /** waitid(P_ALL, WNOHANG | WNOWAIT | WEXITED): a child that has exited and waits to be reaped, or null. */
  peekExitedChild(): number | null;

  /**
   * Calls back whenever the descriptor is readable (uv_poll), again and again until it is read or stopped; works for
   * pidfds and FIFOs, not for files on disk (EPERM). Keeps the process alive. Returns the stop function: call it before
   * the descriptor is closed.
   */
  watchReadable(fd: number, callback: () => void): () => void;
  /** The same for a descriptor that can take more bytes: the other half of moving them from one pipe to another. */
  watchWritable(fd: number, callback: () => void): () => void;
  /** The same for a pipe to read from whose writers are all gone; what lies in it wakes nobody. */
  watchHangUp(fd: number, callback: () => void): () => void;
  /** close(2). */
  close(fd: number): void;
  /** pipe2(O_CLOEXEC): [read, write]. */
  pipe(): [number, number];
  /** eventfd(2), close-on-exec and non-blocking: readable once the kernel has added to it. */
  eventfd(): number;
  /** mkfifo(3). An existing FIFO is fine; anything else there is EEXIST. */
  mkfifo(path: string, mode: number): void;
  /** open(2) with O_CLOEXEC added; flags are node:fs constants. */
  open(path: string, flags: number, mode?: number): number;
  /**
   * splice(2), non-blocking, from a pipe to a file at an offset (or to another pipe when `offset` is null). Bytes moved;
   * 0 at end of file; null when nothing is there yet. The move is atomic against the death of this process.
   */
  splice(fromPipe: number, to: number, offset: number | null, limit: number): number | null;
  /** fcntl(F_SETFL, O_NONBLOCK): for a pty's master, whose reads and writes would hold up the event loop. */
  setNonBlocking(fd: number): void;
  /** ioctl(TIOCSWINSZ). */
  setWindowSize(fd: number, rows: number, columns: number): void;
  /** socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC). */
  socketpair(): [number, number];
  /** recvmsg(2) with SCM_RIGHTS, one descriptor; null when the other side closed. Blocks at most `timeoutMs` (ETIMEDOUT). */
  receiveFd(socket: number, timeoutMs: number): number | null;
  /** connect(2) to the unix socket at `path`, sendmsg(2) with SCM_RIGHTS: the bytes and one descriptor. Blocks for 5 s at most. */
  sendFd(path: string, bytes: Uint8Array, fd: number): void;
  /**
   * send(2), non-blocking: the same bytes (less than 2 GiB) to each of the sockets. How much each has taken; 0 also where
   * it failed, so that whoever writes the rest meets the error.
   */
  sendToAll(sockets: Int32Array, bytes: Uint8Array): Uint32Array;
  /** getsockopt(SO_PEERCRED) of a connected unix socket. */
  peerCredentials(fd: number): { readonly pid: number; readonly uid: number; readonly gid: number };

  /**
   * socket(2), close-on-exec, in another network namespace: a throw-away thread enters it with setns(2). The socket stays
   * there for good, wherever its holder is. Bound to `address`, a struct sockaddr, unless it is empty.
   */
  openSocket(options: {
    /** Descriptor of /proc/<pid>/ns/net; -1 for our own namespace. */
    readonly namespace: number;
    readonly domain: number;
    readonly type: number;
    readonly protocol: number;
    readonly address: Uint8Array;
  }): number;
  /** netlink(7): sends the messages as one datagram, answers all that the kernel says to them. Never blocks. */
  netlink(socket: number, messages: Uint8Array): Buffer;

  /** mount(2). */
  mount(options: {
    readonly source: string;
    readonly target: string;
    readonly type: string;
    readonly flags: number;
    readonly data: string;
  }): void;
  /** umount2(2). */
  unmount(target: string, flags: number): void;

  /** llistxattr(2): the names of the extended attributes. A link at the end of the path is not followed. */
  listAttributes(path: string): string[];
  /** lgetxattr(2). */
  getAttribute(path: string, name: string): Uint8Array;
  /** lsetxattr(2). */
  setAttribute(path: string, name: string, value: Uint8Array): void;
  /** mknod(2); `mode` includes the type (S_IFCHR or S_IFBLK). */
  mknod(path: string, mode: number, major: number, minor: number): void;
  /**
   * ioctl_iflags(2) with FS_TOPDIR_FL, `chattr +T`: the folders in this one have nothing to do with each other, and ext4
   * puts each into another part of the disk. False where the file system does not take such a hint.
   */
  spreadFolders(path: string): boolean;
}

export interface NativeModule extends Native {
  /** Seals the helper executable into a memfd that every `spawnRunc` uses. Called once. */
  loadHelper(executable: Uint8Array): void;
}
