/** Who is whose parent, as the kernel has it. When a parent dies and another takes over, the tether swings over. */
import { domMin, LazyMotion, m } from 'framer-motion';
import type { StageActor } from '../model/actors.ts';
import type { Machine } from '../model/machine.ts';
import { reparent, still } from '../motion.ts';
import { REDUCED_MOTION } from '../breakpoints.ts';
import { useMachine, useMedia } from '../hooks.ts';
import type { StageLayout } from './layout.ts';
import { tetherPath } from './roads.ts';

const CHILDREN: readonly StageActor[] = ['shim', 'runc', 'container'];

const parentOnStage = (machine: Machine, child: StageActor): StageActor | null => {
  const process = machine.processes[String(machine.current[child] ?? '')];
  if (!process || process.exit || process.ppid === null) return null;
  const parent = machine.processes[String(process.ppid)];
  if (!parent || parent.actor === 'lab' || machine.current[parent.actor] !== parent.pid)
    return null;
  return parent.actor;
};

export const Tethers = ({ layout }: { layout: StageLayout }) => {
  const ids = layout.columns ? layout.columns.shown.map(({ id }) => id) : [null];
  return (
    <LazyMotion features={domMin} strict>
      <svg className="tethers" width={layout.width} height={layout.height} aria-hidden="true">
        {ids.map((id) => (
          <Family key={id} layout={layout} containerId={id} />
        ))}
      </svg>
    </LazyMotion>
  );
};

const Family = ({ layout, containerId }: { layout: StageLayout; containerId: string | null }) => {
  const machine = useMachine(containerId);
  const isReduced = useMedia(REDUCED_MOTION);
  return CHILDREN.map((child) => {
    const parent = parentOnStage(machine, child);
    if (!parent) return null;
    const d = tetherPath(layout, { actor: child, containerId }, { actor: parent, containerId });
    return (
      <m.path
        key={child}
        className="tether"
        data-child={child}
        data-parent={parent}
        initial={false}
        animate={{ d }}
        transition={isReduced ? still : reparent}
      />
    );
  });
};
