/** What the kernel holds for the container, appearing as runc asks for it. */
import { t } from '../messages/catalogue.ts';
import { shortId } from '../model/containers.ts';
import { kernelChips } from '../model/kernel-chips.ts';
import type { Machine } from '../model/machine.ts';

export const KernelChips = ({ machine }: { machine: Machine }) => {
  const chips = kernelChips(machine);
  if (chips.length === 0) return null;
  const isSeveral = Object.keys(machine.containers).length > 1;
  return (
    <ul className="kernel-chips" aria-label={t().stage.holds}>
      {isSeveral && machine.latest !== null && (
        <li className="mono kernel-whose">{shortId(machine.latest)}</li>
      )}
      {chips.map(({ key, label, value }) => (
        <li key={key} data-chip={key}>
          {label} {value !== '' && <span className="mono">{value}</span>}
        </li>
      ))}
    </ul>
  );
};
