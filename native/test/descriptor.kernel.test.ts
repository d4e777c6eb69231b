/** Pipes, terminals, sockets, folders and mounts, as the kernel sees them. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, createConnection, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { native } from './addon.ts';
import { runPlan } from './run-plan.ts';

const CLOSE_ON_EXEC = 0o2000000;
/** statfs(2). */
const EXT4_MAGIC = 0xef53;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-room-native-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function isCloseOnExec(fd: number): boolean {
  const flags = /^flags:\t(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
  return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
}

test('every descriptor is close-on-exec', () => {
  const descriptors = [
    ...native.pipe(),
    ...native.socketpair(),
    native.eventfd(),
    native.open('/dev/null', 2),
    native.pidfdOpen(process.pid),
  ];

  expect(descriptors.map(isCloseOnExec)).toEqual(descriptors.map(() => true));
  descriptors.forEach((fd) => native.close(fd));
});

test('a closed descriptor is EBADF', () => {
  const [read, write] = native.pipe();
  native.close(read);
  native.close(write);

  expect(() => native.close(read)).toThrow(
    expect.objectContaining({ code: 'EBADF', errno: 9, syscall: 'close' }),
  );
});

test('mkfifo: a FIFO that is there is fine, a file is not', () => {
  const path = join(folder, 'fifo');
  const file = join(folder, 'file');
  writeFileSync(file, '');

  native.mkfifo(path, 0o600);
  native.mkfifo(path, 0o600);

  expect(statSync(path).isFIFO()).toBe(true);
  expect(() => native.mkfifo(file, 0o600)).toThrow(
    expect.objectContaining({ code: 'EEXIST', path: file }),
  );
});

describe('splice', () => {
  test('moves bytes to the offset that it is given, and says when nothing is there and when all is over', () => {
    const [read, write] = native.pipe();
    const file = openSync(join(folder, 'out'), 'w+');
    writeSync(file, '....');

    writeSync(write, 'abcdef');
    const first = native.splice(read, file, 2, 4);
    const second = native.splice(read, file, 6, 100);
    const nothing = native.splice(read, file, 8, 100);
    native.close(write);
    const end = native.splice(read, file, 8, 100);

    expect([first, second, nothing, end]).toEqual([4, 2, null, 0]);
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('..abcdef');
    native.close(read);
    closeSync(file);
  });

  test('moves bytes from pipe to pipe', () => {
    const [read, write] = native.pipe();
    const [next, nextWrite] = native.pipe();

    writeSync(write, 'onward');
    const moved = native.splice(read, nextWrite, null, 100);

    const file = openSync(join(folder, 'out'), 'w');
    expect(moved).toBe(6);
    expect(native.splice(next, file, 0, 100)).toBe(6);
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('onward');
    closeSync(file);
    for (const fd of [read, write, next, nextWrite]) native.close(fd);
  });

  test('offsets beyond 4 GiB are offsets', () => {
    const [read, write] = native.pipe();
    const file = openSync(join(folder, 'sparse'), 'w');

    writeSync(write, 'x');
    native.splice(read, file, 2 ** 33, 1);

    expect(fstatSync(file).size).toBe(2 ** 33 + 1);
    closeSync(file);
    native.close(read);
    native.close(write);
  });
});

test('spreadFolders: ext4 keeps it (chattr +T), and where there is no such flag nothing happens', () => {
  const isExt4 = statfsSync(folder).type === EXT4_MAGIC;

  expect([native.spreadFolders(folder), native.spreadFolders(folder)]).toEqual([isExt4, isExt4]);

  if (isExt4) {
    const [flags] = execFileSync('lsattr', ['-d', folder], { encoding: 'utf8' }).split(' ');
    expect(flags).toContain('T');
  }
  expect(native.spreadFolders('/dev/shm')).toBe(false);
  expect(() => native.spreadFolders(join(folder, 'missing'))).toThrow(
    expect.objectContaining({ code: 'ENOENT', syscall: 'open', path: join(folder, 'missing') }),
  );
});

test('setNonBlocking: an empty pipe answers EAGAIN', () => {
  const [read, write] = native.pipe();

  native.setNonBlocking(read);

  expect(() => readSync(read, Buffer.alloc(1))).toThrow(
    expect.objectContaining({ code: 'EAGAIN' }),
  );
  native.close(read);
  native.close(write);
});

test('setWindowSize is what the other side of a terminal sees', async () => {
  const master = openSync('/dev/ptmx', 'r+');
  const number =
    /^tty-index:\t(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${master}`, 'utf8'))?.[1] ?? '';
  const unlock = { call: 'ioctl', arguments: [5, 0x40045431, Buffer.alloc(4)] } as const; // TIOCSPTLCK
  await runPlan({ parent: [unlock] }, { extraFds: [master] });

  native.setWindowSize(master, 33, 120);

  const slave = native.open(`/dev/pts/${number}`, 0o402); // O_RDWR | O_NOCTTY
  expect(execFileSync('stty', ['size'], { stdio: [slave, 'pipe', 'inherit'] }).toString()).toBe(
    '33 120\n',
  );
  native.close(slave);
  closeSync(master);
});

describe('sockets', () => {
  test('peerCredentials names the process at the other end', async () => {
    const path = join(folder, 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const client = createConnection(path);
    const [accepted] = (await once(server, 'connection')) as [Socket];

    const peer = native.peerCredentials(descriptorOf(accepted));

    expect(peer).toEqual({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
    client.destroy();
    accepted.destroy();
    server.close();
    await once(server, 'close');
  });

  test('receiveFd: null when the other side has closed, ETIMEDOUT when it says nothing, ENOMSG without a descriptor', () => {
    const [ours, theirs] = native.socketpair();

    expect(() => native.receiveFd(ours, 1)).toThrow(expect.objectContaining({ code: 'ETIMEDOUT' }));
    writeSync(theirs, 'x');
    expect(() => native.receiveFd(ours, 1000)).toThrow(expect.objectContaining({ code: 'ENOMSG' }));
    native.close(theirs);
    expect(native.receiveFd(ours, 1000)).toBeNull();

    native.close(ours);
  });
});

test('mount and unmount change what is seen at a folder', () => {
  const target = join(folder, 'mounted');
  mkdirSync(target);

  native.mount({ source: 'tmpfs', target, type: 'tmpfs', flags: 1, data: 'size=64k' }); // MS_RDONLY
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${target} ro`);
  native.unmount(target, 2); // MNT_DETACH

  expect(mounted).toBe(true);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(target);
  expect(() => native.unmount(target, 0)).toThrow(
    expect.objectContaining({ code: 'EINVAL', syscall: 'umount2', path: target }),
  );
});

test.each([
  [() => native.close(-1), 'fd must be a whole number from 0 to 2147483647, not -1'],
  [() => native.reap(0), 'pid must be a whole number from 1 to 2147483647, not 0'],
  [() => native.open('/tmp/a\0b', 0), 'path must not contain a NUL byte'],
  [
    () => native.splice(0, 1, 1.5, 1),
    'offset must be a whole number from 0 to 9007199254740991, not 1.5',
  ],
  [
    () => native.spawnDetached({ file: '', argv: ['x'], env: {}, cwd: '/' }),
    'file must not be empty',
  ],
  [
    () => native.spawnDetached({ file: '/x', argv: ['x'], env: { 'A=B': '' }, cwd: '/' }),
    'a name in env must not contain "=": A=B',
  ],
])('a wrong argument is a sentence: %#', (call, sentence) => {
  expect(call).toThrow(sentence);
});

function descriptorOf(socket: Socket): number {
  // Node has no public way to ask.
  return (socket as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}

test('the same bytes to many sockets: as much as each takes, and 0 where nothing can be sent', () => {
  // More than one thread's share (native/src/addon/socket.c).
  const pairs = Array.from({ length: 600 }, () => native.socketpair());
  const [full] = pairs[7]!;
  native.close(pairs[599]![1]);
  const bytes = Buffer.alloc(70_000, 'x');
  while (native.sendToAll(Int32Array.of(full), bytes)[0]! > 0);

  const sent = native.sendToAll(
    Int32Array.from(pairs, ([one]) => one),
    bytes,
  );

  const counts = [...sent];
  expect([counts[7], counts[599]]).toEqual([0, 0]);
  expect(counts.filter((_, index) => index !== 7 && index !== 599)).toEqual(
    Array.from({ length: 598 }, () => bytes.length),
  );
  expect(() => native.sendToAll([1] as never, bytes)).toThrow('sockets must be an Int32Array');
  for (const fd of pairs.flat()) if (fd !== pairs[599]![1]) native.close(fd);
});
