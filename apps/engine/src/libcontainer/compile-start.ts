/**
 * The plan of `runc start`: open exec.fifo for reading, and the parked init goes on.
 * fifo(7), pidfd_open(2), poll(2). Upstream: runc libcontainer/container_linux.go (exec, awaitFifoOpen).
 */
import { openFlags, POLLIN } from './plan/constants.ts';
import {
  AT_FDCWD,
  flags,
  number,
  pack,
  slot,
  StageBuilder,
  struct,
  text,
} from './plan/stage-builder.ts';
import type { Plan } from './plan/step.ts';
import type { NativeArchitecture } from './plan/syscall-numbers.ts';

export interface StartInput {
  readonly architecture: NativeArchitecture;
  readonly execFifo: string;
  /** init in the host's pid namespace. */
  readonly pid: number;
}

const SLOT = { init: 'init', fifo: 'exec.fifo' } as const;
const SIZE_OF_POLLFD = 8;

export const compileStart = ({ architecture, execFifo, pid }: StartInput): Plan => {
  const runc = new StageBuilder(architecture);
  const open = openFlags(architecture);
  runc.call('pidfd_open', [number(pid), number(0)], {
    title: 'watch init: if it dies, nobody will ever come to the gate',
    object: 'process',
    source: __SOURCE__,
    reference: 'man:pidfd_open(2)',
    resultSlot: SLOT.init,
    purpose: 'start',
  });
  runc.call(
    'openat',
    [AT_FDCWD, text(execFifo), flags(open, open.O_RDONLY | open.O_NONBLOCK | open.O_CLOEXEC)],
    {
      title: 'open the gate: the waiting init wakes up',
      object: 'sync',
      level: 'step',
      source: __SOURCE__,
      reference: 'man:fifo(7)',
      resultSlot: SLOT.fifo,
      purpose: 'start',
    },
  );
  const pollfds = {
    bytes: pack([
      [4, 0],
      [2, POLLIN],
      [2, 0],
      [4, 0],
      [2, POLLIN],
      [2, 0],
    ]),
    patches: [
      { offset: 0, slot: SLOT.fifo },
      { offset: SIZE_OF_POLLFD, slot: SLOT.init },
    ],
  };
  const patience = pack([
    [8, 30],
    [8, 0],
  ]);
  runc.call(
    'ppoll',
    [
      struct(pollfds, '[{exec.fifo, POLLIN}, {init, POLLIN}]'),
      number(2),
      struct({ bytes: patience }, '{tv_sec=30}'),
      number(0, 'NULL'),
      number(8),
    ],
    {
      title: 'wait until init has passed the gate, or has died',
      object: 'sync',
      source: __SOURCE__,
      reference: 'man:poll(2)',
      purpose: 'start',
    },
  );
  runc.call('read', [slot(SLOT.fifo), struct({ bytes: new Uint8Array(8) }, '"0"'), number(1)], {
    title: 'init is through',
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:read(2)',
    expect: 1,
    purpose: 'start',
  });
  runc.call('unlinkat', [AT_FDCWD, text(execFifo), number(0)], {
    title: 'the gate is used once only',
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:unlink(2)',
    purpose: 'start',
  });
  return { parent: runc.steps, init: [], preset: {} };
};
