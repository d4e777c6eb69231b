/**
 * Checks arguments before they reach C, so that a mistake is a sentence and not a wrong system call.
 *
 * The C++ side only asserts what this file has made sure of.
 */
import type { Native, NativeModule } from './native.ts';

const INT32_MAX = 0x7fff_ffff;
/** A plan has 32 slots; more descriptors could not be named. */
const EXTRA_FDS_MAX = 32;
/** struct sockaddr_storage. */
const SOCKADDR_BYTES = 128;

function integer(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new RangeError(
      `${name} must be a whole number from ${least} to ${most}, not ${String(value)}`,
    );
}

function descriptor(name: string, value: number): void {
  integer(name, value, 0, INT32_MAX);
}

function pid(value: number): void {
  integer('pid', value, 1, INT32_MAX);
}

function text(name: string, value: string): void {
  if (typeof value !== 'string')
    throw new TypeError(`${name} must be a string, not ${typeof value}`);
  // The kernel would read up to the NUL and do something to another file.
  if (value.includes('\0')) throw new TypeError(`${name} must not contain a NUL byte`);
}

function path(name: string, value: string): void {
  text(name, value);
  if (value === '') throw new TypeError(`${name} must not be empty`);
}

function bytes(name: string, value: Uint8Array): void {
  if (!(value instanceof Uint8Array) || value.byteLength === 0)
    throw new TypeError(`${name} must be a Uint8Array that is not empty`);
}

function argumentVector(value: readonly string[]): void {
  if (!Array.isArray(value) || value.length === 0)
    throw new TypeError('argv must be an array with the name of the program as its first string');
  value.forEach((argument, index) => text(`argv[${index}]`, argument));
}

function extraDescriptors(value: readonly number[] | undefined): void {
  if (value === undefined) return;
  if (value.length > EXTRA_FDS_MAX)
    throw new RangeError(
      `extraFds may hold at most ${EXTRA_FDS_MAX} descriptors, not ${value.length}`,
    );
  value.forEach((fd, index) => descriptor(`extraFds[${index}]`, fd));
}

function environment(value: Readonly<Record<string, string>>): void {
  for (const [name, setting] of Object.entries(value)) {
    path('a name in env', name);
    if (name.includes('=')) throw new TypeError(`a name in env must not contain "=": ${name}`);
    text(`env.${name}`, setting);
  }
}

/** The addon behind checks. */
export function withCheckedArguments(module: NativeModule): Native {
  return {
    spawnRunc(options) {
      bytes('plan', options.plan);
      if (options.stdio.length !== 3) throw new RangeError('stdio must be three descriptors');
      options.stdio.forEach((fd, index) => descriptor(`stdio[${index}]`, fd));
      extraDescriptors(options.extraFds);
      argumentVector(options.argv);
      path('cwd', options.cwd);
      return module.spawnRunc(options);
    },
    spawnDetached(options) {
      path('file', options.file);
      argumentVector(options.argv);
      environment(options.env);
      path('cwd', options.cwd);
      extraDescriptors(options.extraFds);
      if (options.log !== undefined) path('log', options.log);
      return module.spawnDetached(options);
    },

    forkTwin: () => module.forkTwin(),
    leaveFootprint: () => module.leaveFootprint(),
    askFootprint: () => module.askFootprint(),
    forgetFootprint: () => module.forgetFootprint(),
    dropProgram: () => module.dropProgram(),
    keepProgram: () => module.keepProgram(),
    mapSideBySide: () => module.mapSideBySide(),
    exitNow(code) {
      integer('code', code, 0, 255);
      return module.exitNow(code);
    },

    setChildSubreaper: () => module.setChildSubreaper(),
    pidfdOpen(target) {
      pid(target);
      return module.pidfdOpen(target);
    },
    pidfdSendSignal(pidfd, signal) {
      descriptor('pidfd', pidfd);
      integer('signal', signal, 0, 64);
      module.pidfdSendSignal(pidfd, signal);
    },
    pidfdGetFd(pidfd, fd) {
      descriptor('pidfd', pidfd);
      descriptor('fd', fd);
      return module.pidfdGetFd(pidfd, fd);
    },
    reap(child) {
      pid(child);
      return module.reap(child);
    },
    peekExitedChild: () => module.peekExitedChild(),

    watchReadable(fd, callback) {
      descriptor('fd', fd);
      if (typeof callback !== 'function') throw new TypeError('callback must be a function');
      return module.watchReadable(fd, callback);
    },
    watchWritable(fd, callback) {
      descriptor('fd', fd);
      if (typeof callback !== 'function') throw new TypeError('callback must be a function');
      return module.watchWritable(fd, callback);
    },
    watchHangUp(fd, callback) {
      descriptor('fd', fd);
      if (typeof callback !== 'function') throw new TypeError('callback must be a function');
      return module.watchHangUp(fd, callback);
    },
    close(fd) {
      descriptor('fd', fd);
      module.close(fd);
    },
    pipe: () => module.pipe(),
    eventfd: () => module.eventfd(),
    mkfifo(file, mode) {
      path('path', file);
      integer('mode', mode, 0, 0o7777);
      module.mkfifo(file, mode);
    },
    open(file, flags, mode = 0o644) {
      path('path', file);
      integer('flags', flags, 0, INT32_MAX);
      integer('mode', mode, 0, 0o7777);
      return module.open(file, flags, mode);
    },
    splice(fromPipe, to, offset, limit) {
      descriptor('fromPipe', fromPipe);
      descriptor('to', to);
      if (offset !== null) integer('offset', offset, 0, Number.MAX_SAFE_INTEGER);
      integer('limit', limit, 1, INT32_MAX);
      return module.splice(fromPipe, to, offset, limit);
    },
    setNonBlocking(fd) {
      descriptor('fd', fd);
      module.setNonBlocking(fd);
    },
    setWindowSize(fd, rows, columns) {
      descriptor('fd', fd);
      integer('rows', rows, 0, 0xffff);
      integer('columns', columns, 0, 0xffff);
      module.setWindowSize(fd, rows, columns);
    },
    socketpair: () => module.socketpair(),
    receiveFd(socket, timeoutMs) {
      descriptor('socket', socket);
      integer('timeoutMs', timeoutMs, 0, INT32_MAX);
      return module.receiveFd(socket, timeoutMs);
    },
    sendFd(socketPath, message, fd) {
      path('path', socketPath);
      bytes('message', message);
      descriptor('fd', fd);
      module.sendFd(socketPath, message, fd);
    },
    sendToAll(sockets, message) {
      if (!(sockets instanceof Int32Array)) throw new TypeError('sockets must be an Int32Array');
      bytes('message', message);
      integer('the length of message', message.byteLength, 1, INT32_MAX);
      return module.sendToAll(sockets, message);
    },
    peerCredentials(fd) {
      descriptor('fd', fd);
      return module.peerCredentials(fd);
    },

    openSocket(options) {
      integer('namespace', options.namespace, -1, INT32_MAX);
      for (const name of ['domain', 'type', 'protocol'] as const)
        integer(name, options[name], 0, INT32_MAX);
      if (!(options.address instanceof Uint8Array) || options.address.byteLength > SOCKADDR_BYTES)
        throw new TypeError(`address must be a Uint8Array of at most ${SOCKADDR_BYTES} bytes`);
      return module.openSocket(options);
    },
    netlink(socket, messages) {
      descriptor('socket', socket);
      bytes('messages', messages);
      return module.netlink(socket, messages);
    },

    mount(options) {
      text('source', options.source);
      path('target', options.target);
      text('type', options.type);
      integer('flags', options.flags, 0, 0xffff_ffff);
      text('data', options.data);
      module.mount(options);
    },
    unmount(target, flags) {
      path('target', target);
      integer('flags', flags, 0, INT32_MAX);
      module.unmount(target, flags);
    },

    listAttributes(file) {
      path('path', file);
      return module.listAttributes(file);
    },
    getAttribute(file, name) {
      path('path', file);
      path('name', name);
      return module.getAttribute(file, name);
    },
    setAttribute(file, name, value) {
      path('path', file);
      path('name', name);
      if (!(value instanceof Uint8Array)) throw new TypeError('value must be a Uint8Array');
      module.setAttribute(file, name, value);
    },
    mknod(file, mode, major, minor) {
      path('path', file);
      integer('mode', mode, 0, 0o177777);
      integer('major', major, 0, INT32_MAX);
      integer('minor', minor, 0, INT32_MAX);
      module.mknod(file, mode, major, minor);
    },
    spreadFolders(folder) {
      path('path', folder);
      return module.spreadFolders(folder);
    },
  };
}
