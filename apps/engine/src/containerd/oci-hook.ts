/**
 * `containerd oci-hook -- PROGRAM ARGUMENT…`: a hook of an OCI configuration whose arguments and environment may name the
 * container: `{{id}}`, `{{pid}}`, `{{bundle}}`, `{{rootfs}}`, `{{status}}`, `{{annotation "KEY"}}`.
 * The runtime gives the container's state on standard input. Upstream: containerd cmd/containerd/command/oci-hook.go.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EngineError } from '../protocol/errdefs.ts';

interface State {
  readonly id: string;
  readonly bundle: string;
  readonly pid?: number;
  readonly status: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Exported for the test. */
export const fillIn = (text: string, state: State, rootfs: string): string =>
  text.replace(/\{\{\s*(\w+)(?:\s+"([^"]*)")?\s*\}\}/g, (_, word: string, key = '') => {
    switch (word) {
      case 'id':
      case 'bundle':
      case 'status':
        return state[word];
      case 'pid':
        return String(state.pid ?? 0);
      case 'rootfs':
        return rootfs;
      case 'annotation':
        return state.annotations?.[key as string] ?? '';
      default:
        throw new EngineError('invalid_argument', `template: oci-hook: "${word}" is not defined`);
    }
  });

/** The exit code of the program. */
export const runOciHook = (words: readonly string[]): number => {
  const state = JSON.parse(readFileSync(0, 'utf8')) as State;
  const { root } = JSON.parse(readFileSync(resolve(state.bundle, 'config.json'), 'utf8')) as {
    root?: { path?: string };
  };
  const rootfs = resolve(state.bundle, root?.path ?? '');
  const [program = '', ...args] = words.map((word) => fillIn(word, state, rootfs));
  const env = Object.fromEntries(
    Object.entries(process.env).map(([name, value]) => [name, fillIn(value ?? '', state, rootfs)]),
  );
  const { status, error } = spawnSync(program, args, { env, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
};
