/**
 * The plan of one hook. In the runtime's namespaces the helper itself becomes the program; for the container's it has a
 * child that goes in first.
 * OCI config.md#posix-platform-hooks, execve(2). Upstream: runc libcontainer/configs/config.go (Command.Run).
 */
import type { Hook } from '../protocol/oci/runtime-spec.ts';
import { SLOT } from './compilation.ts';
import { cloneIntoContainer, enterNamespaces, enterPidNamespace, type Kind } from './namespaces.ts';
import { CLOSE_RANGE_CLOEXEC } from './plan/constants.ts';
import { number, StageBuilder, stringVector, text } from './plan/stage-builder.ts';
import type { Plan } from './plan/step.ts';
import type { NativeArchitecture } from './plan/syscall-numbers.ts';
import { becomeRootOfUserNamespace } from './user.ts';

/** Where the spawner hands in the pidfd of the container's init. */
const CONTAINER_FD = 5;

export interface HookInput {
  readonly architecture: NativeArchitecture;
  readonly hook: Hook;
  /** null: the hook belongs to the runtime's own namespaces. */
  readonly container: {
    readonly namespaces: readonly Kind[];
    /** On the host's tree, where it runs before pivot_root. */
    readonly workingDirectory: string;
  } | null;
}

export const compileHook = ({ architecture, hook, container }: HookInput): Plan => {
  const stages = { parent: new StageBuilder(architecture), init: new StageBuilder(architecture) };
  if (!container) {
    inheritNothing(stages.parent);
    becomeHook(stages.parent, hook);
    return { parent: stages.parent.steps, init: [], preset: {} };
  }
  const { namespaces, workingDirectory } = container;
  enterPidNamespace(stages, namespaces);
  cloneIntoContainer(stages, { intoCgroup: false, title: 'a process for the hook is born' });
  inheritNothing(stages.init);
  enterNamespaces(stages, namespaces);
  if (namespaces.includes('user')) becomeRootOfUserNamespace(stages.init);
  stages.init.call('chdir', [text(workingDirectory)], {
    title: 'the hook stands in the root filesystem that is being furnished',
    object: 'root',
    source: __SOURCE__,
    reference: 'man:chdir(2)',
    purpose: 'hook',
  });
  becomeHook(stages.init, hook);
  return {
    parent: stages.parent.steps,
    init: stages.init.steps,
    preset: { [SLOT.container]: CONTAINER_FD },
  };
};

const inheritNothing = (stage: StageBuilder): void =>
  stage.call(
    'close_range',
    [number(3), number(0xffff_ffff, '~0'), number(CLOSE_RANGE_CLOEXEC, 'CLOSE_RANGE_CLOEXEC')],
    {
      title: 'the hook shall inherit only 0, 1 and 2',
      object: 'stdio',
      source: __SOURCE__,
      reference: 'man:close_range(2)',
      purpose: 'hook',
    },
  );

/** Its environment is what config.json names and nothing else: not even PATH. */
const becomeHook = (stage: StageBuilder, { path, args, env }: Hook): void => {
  const argv = (args ?? []).length > 0 ? (args ?? []) : [path];
  stage.call(
    'execve',
    [
      text(path),
      stringVector(argv, JSON.stringify(argv)),
      stringVector(env ?? [], `[/* ${(env ?? []).length} variables */]`),
    ],
    {
      title: `the hook ${path} runs`,
      object: 'process',
      level: 'step',
      source: __SOURCE__,
      reference: 'man:execve(2)',
      purpose: 'execve',
      attributes: { 'process.executable.path': path, 'process.command_args': argv },
    },
  );
};
