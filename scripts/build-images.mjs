/**
 * Builds the embedded images into apps/engine/dist/images/, without any registry: `hello-world` from our own C program,
 * `busybox` from the static busybox of this system, `nginx` from its package where apt can fetch it.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nginxFiles } from './nginx-image.mjs';
import { imageLayout } from './oci-image.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OUT = join(ROOT, 'apps/engine/dist/images');
const PATH_OF_IMAGE = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const labels = (title, description, licenses, version) => ({
  'org.opencontainers.image.title': title,
  'org.opencontainers.image.description': description,
  'org.opencontainers.image.vendor': 'Engine Room',
  'org.opencontainers.image.licenses': licenses,
  'org.opencontainers.image.version': version,
});

function helloWorld(reference) {
  const folder = mkdtempSync(join(tmpdir(), 'engine-room-hello-'));
  try {
    const program = join(folder, 'hello');
    const source = join(ROOT, 'apps/engine/images/hello-world/hello.c');
    const flags = [
      '-std=gnu17',
      '-Os',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-static',
      '-s',
      '-Wl,--build-id=none',
    ];
    execFileSync(process.env.CC ?? 'cc', [...flags, '-o', program, source], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return imageLayout({
      reference,
      entries: [{ name: 'hello', mode: 0o755, data: readFileSync(program) }],
      config: {
        Env: [PATH_OF_IMAGE],
        Cmd: ['/hello'],
        WorkingDir: '/',
        Labels: labels(
          'hello-world',
          'Says hello, and where in the kernel it is',
          'Apache-2.0',
          '1.0.0',
        ),
      },
      comment: 'apps/engine/images/hello-world/hello.c',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** True for an ELF file without PT_INTERP: such a program needs no files beside itself. elf(5) */
function isStatic(program) {
  const PT_INTERP = 3;
  if (program.readUInt32BE(0) !== 0x7f454c46) return false;
  const headers = Number(program.readBigUInt64LE(32));
  const size = program.readUInt16LE(54);
  const count = program.readUInt16LE(56);
  return !Array.from({ length: count }, (_, i) =>
    program.readUInt32LE(headers + i * size),
  ).includes(PT_INTERP);
}

function findBusybox() {
  const found = ['/bin/busybox', '/usr/bin/busybox', '/usr/local/bin/busybox'].find(
    (path) => existsSync(path) && isStatic(readFileSync(path)),
  );
  if (!found)
    throw new Error(
      'no static busybox found; on Debian or Ubuntu: sudo apt-get install busybox-static',
    );
  return found;
}

const file = (name, text) => ({ name, data: Buffer.from(text) });
const folder = (name, mode) => ({ name, type: 'directory', mode });

function busybox(reference) {
  const program = findBusybox();
  const banner = execFileSync(program, ['--help'], { encoding: 'utf8' }).split('\n')[0];
  const applets = execFileSync(program, ['--list'], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
    .sort();
  const links = applets
    .filter((name) => name !== 'busybox')
    .map((name) => ({
      name: `bin/${name}`,
      type: 'symlink',
      mode: 0o777,
      linkname: '/bin/busybox',
    }));
  return imageLayout({
    reference,
    entries: [
      ...['bin', 'dev', 'etc', 'home', 'proc', 'sys', 'usr', 'usr/bin', 'usr/sbin', 'var'].map(
        (name) => folder(name),
      ),
      folder('root', 0o700),
      folder('tmp', 0o1777),
      folder('var/spool'),
      folder('var/spool/mail'),
      folder('var/www'),
      { name: 'bin/busybox', mode: 0o755, data: readFileSync(program) },
      ...links,
      { name: 'usr/bin/env', type: 'symlink', mode: 0o777, linkname: '/bin/busybox' },
      file(
        'etc/passwd',
        [
          'root:x:0:0:root:/root:/bin/sh',
          'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
          'bin:x:2:2:bin:/bin:/bin/false',
          'sys:x:3:3:sys:/dev:/bin/false',
          'sync:x:4:100:sync:/bin:/bin/sync',
          'mail:x:8:8:mail:/var/spool/mail:/bin/false',
          'www-data:x:33:33:www-data:/var/www:/bin/false',
          'operator:x:37:37:Operator:/var:/bin/false',
          'nobody:x:65534:65534:nobody:/home:/bin/false',
          '',
        ].join('\n'),
      ),
      file(
        'etc/group',
        [
          'root:x:0:',
          'daemon:x:1:',
          'bin:x:2:',
          'sys:x:3:',
          'adm:x:4:',
          'tty:x:5:',
          'disk:x:6:',
          'mail:x:8:',
          'wheel:x:10:root',
          'www-data:x:33:',
          'operator:x:37:',
          'users:x:100:',
          'nobody:x:65534:',
          '',
        ].join('\n'),
      ),
      { name: 'etc/shadow', mode: 0o600, data: Buffer.from('root:*:::::::\n') },
      file('etc/hosts', '127.0.0.1\tlocalhost\n'),
      file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
    ],
    config: {
      Env: [PATH_OF_IMAGE],
      Cmd: ['sh'],
      WorkingDir: '/',
      Labels: labels(
        'busybox',
        'The static busybox of the system that built it, with all its applets',
        'GPL-2.0-only',
        /v(\S+)/.exec(banner)?.[1] ?? 'unknown',
      ),
    },
    comment: banner,
  });
}

function nginx(reference) {
  const { entries, version } = nginxFiles(findBusybox());
  return imageLayout({
    reference,
    entries,
    config: {
      Env: [PATH_OF_IMAGE],
      Cmd: ['nginx', '-g', 'daemon off;'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
      WorkingDir: '/',
      Labels: labels(
        'nginx',
        'The nginx of the system that built it, with a page of ours',
        'BSD-2-Clause',
        version,
      ),
    },
    comment: `nginx ${version}`,
  });
}

/** Without these the engine still has what its tests and lessons need. */
const OPTIONAL = ['nginx'];

mkdirSync(OUT, { recursive: true });
for (const [name, build] of Object.entries({ 'hello-world': helloWorld, busybox, nginx })) {
  const reference = `${name}:latest`;
  let built;
  try {
    built = await build(reference);
  } catch (error) {
    if (!OPTIONAL.includes(name)) throw error;
    console.error(`build-images: no ${name}, \`docker pull\` has to bring it: ${error.message}`);
    continue;
  }
  const { archive, ids } = built;
  // A reader never sees half an image.
  const write = (ending, data) => {
    const path = join(OUT, `${name}.${ending}`);
    writeFileSync(`${path}.new`, data);
    renameSync(`${path}.new`, path);
  };
  write('tar', archive);
  // What the lab compares with what the engine has.
  write('json', JSON.stringify({ reference, ids }));
  console.error(`build-images: ${name} ${(archive.length / 1024).toFixed(0)} KiB`);
}
