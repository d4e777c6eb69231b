/**
 * The files of the embedded image `nginx`: the program of this system's own package, the libraries that it is linked
 * with, and a configuration and a page of ours. Needs apt and its packages' archive; without them there is no such image.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { at } from './system-needs.mjs';

const PROGRAM = 'usr/sbin/nginx';
/** Newer releases have the program in `nginx`, older ones in `nginx-core`. */
const PACKAGES = ['nginx', 'nginx-core'];
const OURS = at('apps/engine/images/nginx');

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Downloads and unpacks, but installs nothing: a second nginx on the host would take its port 80. */
function unpackPackages(folder) {
  const unpacked = join(folder, 'unpacked');
  for (const name of [...PACKAGES, 'nginx-common']) {
    if (name !== 'nginx-common' && existsSync(join(unpacked, PROGRAM))) continue;
    try {
      run('apt-get', ['download', name], folder);
    } catch (error) {
      if (name === PACKAGES[0]) throw error;
      continue;
    }
    const [archive] = readdirSync(folder).filter((file) => file.startsWith(`${name}_`));
    run('dpkg-deb', ['-x', archive, unpacked], folder);
  }
  if (!existsSync(join(unpacked, PROGRAM))) throw new Error('the package has no nginx in it');
  return unpacked;
}

/** `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x…)`, or the loader alone. ldd(1) */
function libraries(program) {
  const lines = run('ldd', [program]).split('\n');
  const missing = lines.find((line) => line.includes('not found'));
  if (missing) throw new Error(`this system lacks a library of nginx: ${missing.trim()}`);
  return lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

const folders = (paths) => {
  const all = new Set();
  for (const path of paths)
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) all.add(folder);
  return [...all]
    .sort((left, right) => left.localeCompare(right))
    .map((name) => ({ name, type: 'directory', mode: 0o755 }));
};

/** `{entries, version}` for an image layout. Throws where the package cannot be had. */
export function nginxFiles(busybox) {
  const folder = mkdtempSync(join(tmpdir(), 'engine-room-nginx-'));
  try {
    const unpacked = unpackPackages(folder);
    const program = join(unpacked, PROGRAM);
    const version = /nginx\/(\S+)/.exec(
      execFileSync('sh', ['-c', '"$0" -v 2>&1', program], { encoding: 'utf8' }),
    )?.[1];
    const text = (name, data) => ({ name, data: Buffer.from(data) });
    const copy = (name, from, mode = 0o644) => ({ name, mode, data: readFileSync(from) });
    const link = (name, linkname) => ({ name, type: 'symlink', mode: 0o777, linkname });
    const files = [
      copy(PROGRAM, program, 0o755),
      ...libraries(program).map((path) => copy(path.slice(1), path, 0o755)),
      copy('bin/busybox', busybox, 0o755),
      link('bin/sh', 'busybox'),
      copy('etc/nginx/mime.types', join(unpacked, 'etc/nginx/mime.types')),
      copy('etc/nginx/nginx.conf', join(OURS, 'nginx.conf')),
      copy('usr/share/nginx/html/index.html', join(OURS, 'index.html')),
      copy('usr/share/doc/nginx/copyright', join(unpacked, 'usr/share/doc/nginx/copyright')),
      text(
        'etc/passwd',
        'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n',
      ),
      text('etc/group', 'root:x:0:\nwww-data:x:33:\n'),
      text('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
      // What it writes into its logs is the container's output.
      link('var/log/nginx/access.log', '/dev/stdout'),
      link('var/log/nginx/error.log', '/dev/stderr'),
    ];
    const empty = ['dev', 'proc', 'root', 'run', 'sys', 'var/lib/nginx', 'var/lock'];
    return {
      version: version ?? 'unknown',
      entries: [
        ...folders([...files.map(({ name }) => name), ...empty.map((name) => `${name}/x`)]),
        { name: 'tmp', type: 'directory', mode: 0o1777 },
        ...files,
      ],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
