/**
 * Where a created container waits: opening a FIFO for writing blocks until `runc start` opens it for reading.
 * fifo(7). Upstream: runc libcontainer/standard_init_linux.go, container_linux.go (createExecFifo).
 */
import { type Compilation, type CreateInput, FD, SLOT } from './compilation.ts';
import { openFlags, S_IFMT_OF } from './plan/constants.ts';
import { AT_FDCWD, fdPath, flags, number, slot, struct, text } from './plan/stage-builder.ts';

/** Writable for everybody: the container's user opens it, through a descriptor that nobody else has. */
const MODE = S_IFMT_OF.p | 0o622;

type WithFifo = Compilation & Pick<CreateInput, 'execFifo'>;

export const makeExecFifo = (c: WithFifo): void => {
  c.parent.call('mknodat', [AT_FDCWD, text(c.execFifo), number(MODE, 'S_IFIFO|0622'), number(0)], {
    title: 'the gate at which the container will wait: exec.fifo',
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:fifo(7)',
    purpose: 'exec fifo',
  });
};

/** While the host's tree is still visible; a FIFO's handle leads nowhere else. */
export const holdExecFifo = (c: WithFifo): void => {
  const { O_PATH, O_CLOEXEC } = openFlags(c.facts.architecture);
  c.init.call(
    'openat',
    [AT_FDCWD, text(c.execFifo), flags({ O_PATH, O_CLOEXEC }, O_PATH | O_CLOEXEC)],
    {
      title: 'hold exec.fifo: after pivot_root its path is out of reach',
      object: 'sync',
      source: __SOURCE__,
      reference: 'man:open(2)',
      resultSlot: SLOT.execFifo,
      purpose: 'exec fifo',
    },
  );
  c.init.call('dup3', [slot(SLOT.execFifo), number(FD.execFifo), flags({ O_CLOEXEC }, O_CLOEXEC)], {
    title: 'keep it where the great closing does not reach',
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:dup(2)',
    resultSlot: SLOT.execFifo,
    purpose: 'exec fifo',
  });
};

export const waitAtExecFifo = (c: Compilation): void => {
  const { O_WRONLY, O_CLOEXEC } = openFlags(c.facts.architecture);
  c.init.call(
    'openat',
    [AT_FDCWD, fdPath(SLOT.execFifo), flags({ O_WRONLY, O_CLOEXEC }, O_WRONLY | O_CLOEXEC)],
    {
      title: 'created: wait here for `runc start`',
      object: 'sync',
      level: 'step',
      source: __SOURCE__,
      reference: 'man:fifo(7)',
      resultSlot: SLOT.parked,
      purpose: 'exec fifo',
    },
  );
  c.init.call(
    'write',
    [slot(SLOT.parked), struct({ bytes: new TextEncoder().encode('0') }, '"0"'), number(1)],
    {
      title: 'tell `runc start` that the gate is passed',
      object: 'sync',
      source: __SOURCE__,
      reference: 'man:write(2)',
      expect: 1,
      purpose: 'exec fifo',
    },
  );
};
