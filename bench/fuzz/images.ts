/** What a registry and an archive may say: manifests, and layers that want to write elsewhere. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { pack, type Header } from 'tar-stream';
import { applyLayer } from '../../apps/engine/src/containerd/diff/apply.ts';
import { parsePlatform, resolve } from '../../apps/engine/src/dockerd/distribution/manifest.ts';
import type { RawManifest, Registry } from '../../apps/engine/src/dockerd/distribution/registry.ts';
import { mutatedBytes, mutatedJson } from './mutate.ts';
import { target, type Target } from './target.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DESCRIPTOR = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 100 };
const INDEX = {
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...DESCRIPTOR, platform: { os: 'linux', architecture: 'amd64', variant: '' } }],
};
const MANIFEST = {
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: DESCRIPTOR,
  layers: [DESCRIPTOR],
};

const anyManifest = fc.tuple(
  fc.constantFrom(OCI_INDEX, OCI_MANIFEST, 'text/plain'),
  fc.oneof(
    mutatedJson(INDEX, MANIFEST).map((value) => Buffer.from(JSON.stringify(value))),
    mutatedBytes(Buffer.from(JSON.stringify(INDEX)), Buffer.from(JSON.stringify(MANIFEST))),
  ),
);

/** A registry that answers with whatever is next, whatever it is asked for. */
const registryThatSays = (answers: readonly (readonly [string, Buffer])[]): Registry => {
  const left = [...answers];
  const manifest = (): Promise<RawManifest> => {
    const [mediaType, bytes] = left.shift() ?? [OCI_MANIFEST, Buffer.from('{}')];
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    return Promise.resolve({ mediaType, digest, size: bytes.length, bytes });
  };
  return { manifest } as unknown as Registry;
};

const names = [
  'a',
  'a/b',
  'link',
  'link/x',
  '../out',
  '/abs',
  'a/../../x',
  '.wh.a',
  '.wh..wh..opq',
  'a/.wh..',
];
const targets = [
  '/',
  '..',
  '../..',
  '../outside',
  'a',
  'link',
  '../outside/kept',
  '/proc/self/root',
];
const anyEntry = fc.record({
  name: fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 20 })),
  type: fc.constantFrom(
    'file',
    'directory',
    'symlink',
    'link',
    'fifo',
    'character-device',
    'contiguous-file',
  ),
  linkname: fc.constantFrom(...targets),
  mode: fc.constantFrom(0, 0o644, 0o4755, 0o777, 0xffff),
  uid: fc.constantFrom(0, 1000),
  body: fc.constantFrom('', 'x', 'y'.repeat(600)),
});

const tarOf = async (entries: readonly (Partial<Header> & { name: string; body: string })[]) => {
  const tar = pack();
  for (const { body, ...header } of entries)
    tar.entry(header as Header, header.type === 'file' ? body : '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const anyLayer = fc
  .tuple(
    fc.array(anyEntry, { maxLength: 6 }),
    fc.boolean(),
    // Where the packed bytes are damaged, and by what.
    fc.array(fc.tuple(fc.nat(0xffff), fc.nat(255)), { maxLength: 4 }),
  )
  .map(([entries, isPacked, damage]) => ({ entries, isPacked, damage }));

async function* once(bytes: Uint8Array) {
  yield bytes;
}

export const IMAGES: readonly Target[] = [
  target('image manifests', {
    perThousand: 300,
    inputs: fc.tuple(anyManifest, anyManifest, fc.oneof(fc.constant('linux/amd64'), fc.string())),
    open: () => ({
      feed: async ([top, below, platform]) => {
        const wanted = parsePlatform(platform) ?? {
          os: 'linux',
          architecture: 'amd64',
          variant: '',
        };
        const { layers, config } = await resolve(registryThatSays([top, below]), 'latest', wanted);
        for (const { digest } of [...layers, config])
          if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`believed ${digest}`);
      },
    }),
  }),
  target('image layers', {
    perThousand: 10,
    inputs: anyLayer,
    open: () => {
      const folder = mkdtempSync(join(tmpdir(), 'fuzz-layer-'));
      const outside = join(folder, 'outside');
      mkdirSync(outside);
      writeFileSync(join(outside, 'kept'), 'kept');
      const before = lstatSync(join(outside, 'kept'));
      return {
        feed: async ({ entries, isPacked, damage }) => {
          const root = join(folder, 'root');
          mkdirSync(root);
          try {
            const tar = await tarOf(entries);
            const bytes = isPacked ? gzipSync(tar) : tar;
            for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
            await applyLayer({
              blob: once(bytes),
              target: root,
              special: {
                mknod: () => undefined,
                mkfifo: (path) => writeFileSync(path, '', { flag: 'wx' }),
                setAttribute: () => undefined,
              },
              limits: { maxBytes: 1 << 20, maxEntries: 100 },
            });
          } finally {
            rmSync(root, { recursive: true, force: true });
          }
          const { mode, size, nlink, mtimeMs } = lstatSync(join(outside, 'kept'));
          const isKept =
            mode === before.mode &&
            size === before.size &&
            nlink === before.nlink &&
            mtimeMs === before.mtimeMs;
          if (!isKept || readdirSync(outside).length !== 1 || existsSync(join(folder, 'out')))
            throw new Error('a layer has written outside of its root');
        },
        close: () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  }),
];
