/**
 * Builds the programs of content/programs that need it, for the lab to run: Go, where this system has Go and Docker's
 * SDK for it as packages (nothing is downloaded), and TypeScript, which finds its SDK in node_modules.
 *
 *   node scripts/build-programs.mjs               # all, into apps/engine/dist/programs
 *   node scripts/build-programs.mjs main.go OUT   # one of Go
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { at, find, GO_SDK, GO_SOURCES } from './system-needs.mjs';

const SOURCES = at('content/programs/list-containers');
const OUT = at('apps/engine/dist/programs');

const buildGo = (source, out) =>
  execFileSync(find('go'), ['build', '-o', out, source], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: homedir(),
      // Debian's packages are a GOPATH, and without cgo the result is one static file.
      GO111MODULE: 'off',
      GOPATH: GO_SOURCES,
      GOFLAGS: '-buildvcs=false',
      CGO_ENABLED: '0',
    },
  });

const [source, out] = process.argv.slice(2);
if (source !== undefined && out !== undefined) {
  buildGo(source, out);
} else {
  mkdirSync(OUT, { recursive: true });
  await build({
    entryPoints: { 'list-containers': join(SOURCES, 'list.ts') },
    outdir: OUT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });
  if (find('go') !== null && existsSync(GO_SDK))
    buildGo(join(SOURCES, 'main.go'), join(OUT, 'list-containers'));
  else console.error('build-programs: no Go with Docker’s SDK here; the lessons have a recording');
}
