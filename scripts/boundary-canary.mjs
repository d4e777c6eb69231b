/**
 * Trusts no green light: plants one bad import per rule of `.dependency-cruiser.cjs` in a throw-away tree and fails
 * unless dependency-cruiser reports each of them by name, and unless the same tree without them is clean.
 * (A dependency-cruiser that cannot read TypeScript reports "no violations" over zero modules.)
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const CRUISE = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

/** What is there to be imported. */
const GOOD = {
  'apps/engine/src/protocol/good.ts': 'export const said = 1;',
  'apps/engine/src/tracing/good.ts':
    "import { said } from '../protocol/good.ts';\nexport const watched = said;",
  'apps/engine/src/transport/good.ts':
    "import { watched } from '../tracing/good.ts';\nexport const carried = watched;",
  'apps/engine/src/libcontainer/good.ts':
    "import { said } from '../protocol/good.ts';\nexport const plan = said;",
  'apps/engine/src/native/load.ts':
    "import { native } from '../../../../native/native.ts';\nexport const loaded = native;",
  'apps/engine/src/dockerd/api/good.ts':
    "import express from 'express';\nimport { daemon } from '../daemon/good.ts';\nexport const api = [express, daemon];",
  'apps/engine/src/dockerd/daemon/good.ts':
    "import { loaded } from '../../native/load.ts';\nexport const daemon = loaded;",
  'apps/engine/src/containerd/services/good.ts': 'export const service = 1;',
  'apps/engine/src/containerd-shim/good.ts':
    "import { plan } from '../libcontainer/good.ts';\nexport const shim = plan;",
  'apps/engine/src/runc/good.ts':
    "import { plan } from '../libcontainer/good.ts';\nexport const runc = plan;",
  'apps/engine/src/lab/good.ts': "import ws from 'ws';\nexport const lab = ws;",
  'apps/engine/src/lab/good.test.ts':
    "import { lab } from './good.ts';\nexport const tested = lab;",
  'apps/web/src/model/good.ts':
    "import { said } from '../../../engine/src/protocol/good.ts';\nexport const model = said;",
  'apps/web/src/stage/Good.tsx':
    "import React from 'react';\nimport { model } from '../model/good.ts';\nexport const Good = () => [React, model];",
  'native/native.ts': 'export const native = 1;',
  'e2e/good.ts':
    "import { said } from '../apps/engine/src/protocol/good.ts';\nexport const seen = said;",
  'node_modules/express/index.js': 'module.exports = 1;',
  'node_modules/ws/index.js': 'module.exports = 1;',
  'node_modules/react/index.js': 'module.exports = 1;',
};

/** rule → the file that breaks it, and what it imports. */
const BAD = {
  'processes-meet-only-as-bytes': [
    'apps/engine/src/dockerd/daemon/bad.ts',
    '../../containerd/services/good.ts',
  ],
  'protocol-imports-nothing-of-ours': ['apps/engine/src/protocol/bad.ts', '../tracing/good.ts'],
  'protocol-does-no-input-or-output': ['apps/engine/src/protocol/bad-io.ts', 'node:fs'],
  'transport-knows-protocol-and-tracing': [
    'apps/engine/src/transport/bad.ts',
    '../dockerd/daemon/good.ts',
  ],
  'tracing-knows-protocol': ['apps/engine/src/tracing/bad.ts', '../transport/good.ts'],
  'libcontainer-belongs-to-shim-and-runc': [
    'apps/engine/src/containerd/bad.ts',
    '../libcontainer/good.ts',
  ],
  'libcontainer-knows-no-process': ['apps/engine/src/libcontainer/bad.ts', '../runc/good.ts'],
  'addon-behind-one-typed-face': ['apps/engine/src/runc/bad.ts', '../../../../native/native.ts'],
  'native-imports-nothing-of-ours': ['native/bad.ts', '../apps/engine/src/protocol/good.ts'],
  'dockerd-daemon-never-imports-api': [
    'apps/engine/src/dockerd/daemon/bad-api.ts',
    '../api/good.ts',
  ],
  'containerd-stores-never-import-services': [
    'apps/engine/src/containerd/content/bad.ts',
    '../services/good.ts',
  ],
  'express-only-at-the-http-faces': ['apps/engine/src/containerd/bad-http.ts', 'express'],
  'ws-only-at-the-http-faces': ['apps/engine/src/dockerd/daemon/bad-ws.ts', 'ws'],
  'web-sees-only-protocol': ['apps/web/src/stage/bad.ts', '../../../engine/src/tracing/good.ts'],
  'engine-knows-no-page': ['apps/engine/src/lab/bad.ts', '../../../web/src/model/good.ts'],
  'model-and-trace-know-no-react': ['apps/web/src/model/bad.ts', 'react'],
  'model-draws-nothing': ['apps/web/src/model/bad-draw.ts', '../stage/Good.tsx'],
  'ui-has-no-domain-words': ['apps/web/src/ui/bad.ts', '../model/good.ts'],
  'end-to-end-tests-are-clients': ['e2e/bad.ts', '../apps/engine/src/runc/good.ts'],
  'content-holds-no-code': ['content/bad.ts', '../apps/engine/src/protocol/good.ts'],
  'no-test-in-product': ['apps/engine/src/lab/bad-test.ts', './good.test.ts'],
  'no-cycles': ['apps/engine/src/runc/bad-cycle.ts', './bad-cycle-there.ts'],
  'no-barrels': ['apps/engine/src/runc/bad-barrel.ts', './verbs/index.ts'],
  'no-drawer-folders': ['apps/engine/src/runc/bad-drawer.ts', './utils/good.ts'],
  'imports-resolve': ['apps/engine/src/runc/bad-missing.ts', './nowhere.ts'],
};
const NEEDED_BY_BAD = {
  'apps/engine/src/runc/bad-cycle-there.ts':
    "import * as back from './bad-cycle.ts';\nexport const there = back;",
  'apps/engine/src/runc/verbs/index.ts': 'export const verb = 1;',
  'apps/engine/src/runc/utils/good.ts': 'export const drawer = 1;',
};

const violationsOf = (tree) => {
  const folder = mkdtempSync(join(tmpdir(), 'boundary-canary-'));
  try {
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.base.json', 'package.json'])
      copyFileSync(join(ROOT, file), join(folder, file));
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    const folders = ['apps', 'native', 'e2e', 'content'].filter((name) =>
      Object.keys(tree).some((path) => path.startsWith(`${name}/`)),
    );
    const run = spawnSync(
      process.execPath,
      [CRUISE, ...folders, '--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
      { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20 },
    );
    if (run.stdout === '') throw new Error(`dependency-cruiser said nothing: ${run.stderr}`);
    const { summary } = JSON.parse(run.stdout);
    return { violations: summary.violations, modules: summary.totalCruised };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const faults = [];
const rules = require(join(ROOT, '.dependency-cruiser.cjs')).forbidden.map((rule) => rule.name);
for (const rule of rules) if (!(rule in BAD)) faults.push(`rule ${rule} has no planted import`);
for (const rule of Object.keys(BAD))
  if (!rules.includes(rule)) faults.push(`planted rule ${rule} does not exist`);

const clean = violationsOf(GOOD);
for (const { rule, from, to } of clean.violations)
  faults.push(`good import reported: ${rule.name}: ${from} → ${to}`);
if (clean.modules < Object.keys(GOOD).length - 3)
  faults.push(`only ${clean.modules} modules were read`);

const planted = Object.fromEntries(
  Object.values(BAD).map(([path, target]) => [
    path,
    `import * as bad from '${target}';\nexport const planted = bad;`,
  ]),
);
const { violations } = violationsOf({ ...GOOD, ...NEEDED_BY_BAD, ...planted });
for (const [rule, [path]] of Object.entries(BAD))
  if (
    !violations.some(
      (violation) => violation.rule.name === rule && [violation.from, violation.to].includes(path),
    )
  )
    faults.push(`not reported: ${rule} (${path})`);

if (faults.length > 0) {
  console.error(faults.map((fault) => `boundary canary: ${fault}`).join('\n'));
  process.exit(1);
}
console.log(`boundary canary: ${rules.length} rules, each reports its planted import`);
