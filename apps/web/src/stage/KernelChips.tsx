/** What the kernel holds for the container, appearing as runc asks for it. */
import { kernelChips } from '../model/kernel-chips.ts';
import type { Machine } from '../model/machine.ts';

export const KernelChips = ({ machine }: { machine: Machine }) => {
  const chips = kernelChips(machine);
  if (chips.length === 0) return null;
  return (
    <ul className="kernel-chips" aria-label="What the kernel holds for the container">
      {chips.map(({ key, label, value }) => (
        <li key={key} data-chip={key}>
          {label} {value !== '' && <span className="mono">{value}</span>}
        </li>
      ))}
    </ul>
  );
};
