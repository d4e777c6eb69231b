/**
 * From a runtime's name to its shim: `io.containerd.engineroom.v2` → `containerd-shim-engineroom-v2`,
 * searched in PATH, then beside containerd itself. A path is taken as it is.
 * Upstream: containerd core/runtime/v2/shim_manager.go (resolveRuntimePath).
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';

export const binaryName = (runtime: string): string => {
  const parts = runtime.split('.');
  const [name, version] = parts.slice(-2);
  const isName = parts.length >= 2 && parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part));
  if (!isName || !name || !version) throw invalidRuntime(runtime);
  return `containerd-shim-${name}-${version}`;
};

export const resolveRuntimePath = (runtime: string, ownFolder: string): string => {
  if (runtime === '')
    throw new EngineError('invalid_argument', 'no runtime name: invalid argument');
  if (isAbsolute(runtime)) {
    if (isExecutable(runtime)) return runtime;
    throw new EngineError(
      'not_found',
      `invalid custom binary path: stat ${runtime}: no such file or directory`,
    );
  }
  if (runtime.includes('/')) throw invalidRuntime(runtime);
  const name = binaryName(runtime);
  const folders = [...(process.env['PATH'] ?? '').split(':').filter(isAbsolute), ownFolder];
  for (const folder of folders) {
    const path = join(folder, name);
    if (isExecutable(path)) return path;
  }
  throw new EngineError(
    'not_found',
    `runtime "${runtime}" binary not installed "${name}": file does not exist`,
  );
};

/** Without the event loop: folder by folder on another thread takes milliseconds, and every container waits for it. */
const isExecutable = (path: string): boolean => {
  // Most folders of PATH do not have it, and an exception with its stack takes its time.
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const invalidRuntime = (runtime: string): EngineError =>
  new EngineError(
    'invalid_argument',
    `invalid runtime name ${runtime}, correct runtime name should be either format like \`io.containerd.runc.v2\` or a full path to the binary`,
  );
