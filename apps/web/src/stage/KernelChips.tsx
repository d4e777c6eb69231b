/** What the kernel holds for the container, appearing as runc asks for it. */
import { kernelChips } from '../model/kernel-chips.ts';
import type { Machine } from '../model/machine.ts';
import { select } from '../reader-store.ts';

export const KernelChips = ({ machine }: { machine: Machine }) => {
  const chips = kernelChips(machine);
  if (chips.length === 0) return null;
  return (
    <ul className="kernel-chips" aria-label="What the kernel holds for the container">
      {chips.map(({ key, label, value, eventId }) => (
        <li key={key} data-chip={key} onClick={() => eventId && select({ event: eventId })}>
          {label} {value !== '' && <span className="mono">{value}</span>}
        </li>
      ))}
    </ul>
  );
};
