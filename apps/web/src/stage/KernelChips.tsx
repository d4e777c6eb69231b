/** What the kernel holds for the container, appearing as runc asks for it. */
import { useEffect, useLayoutEffect, useRef } from 'react';
import { t } from '../messages/catalogue.ts';
import { shortId } from '../model/containers.ts';
import { kernelChips } from '../model/kernel-chips.ts';
import type { Machine } from '../model/machine.ts';

export const KernelChips = ({ machine }: { machine: Machine }) => {
  const list = useRef<HTMLUListElement>(null);
  const chips = kernelChips(machine);
  const isEmpty = chips.length === 0;
  const isSeveral = Object.keys(machine.containers).length > 1;
  useLayoutEffect(() => fold(list.current));
  useEffect(() => {
    if (!list.current) return undefined;
    const sizes = new ResizeObserver(([entry]) => fold(entry?.target ?? null));
    sizes.observe(list.current);
    return () => sizes.disconnect();
  }, [isEmpty]);
  if (isEmpty) return null;
  return (
    <ul ref={list} className="kernel-chips" aria-label={t().stage.holds}>
      {isSeveral && machine.latest !== null && (
        <li className="mono kernel-whose">{shortId(machine.latest)}</li>
      )}
      <li className="kernel-earlier" hidden />
      {chips.map(({ key, label, value }) => (
        <li key={key} data-chip={key}>
          {label} {value !== '' && <span className="mono">{value}</span>}
        </li>
      ))}
    </ul>
  );
};

/** Where the lane is too low for all, the latest are shown, and of the earlier ones how many there are. */
function fold(list: Element | null): void {
  const earlier = list?.querySelector<HTMLElement>('.kernel-earlier');
  if (!list || !earlier) return;
  const chips = [...list.querySelectorAll<HTMLElement>('[data-chip]')];
  for (const chip of [earlier, ...chips]) chip.hidden = chip === earlier;
  for (const [index, chip] of chips.slice(0, -1).entries()) {
    if (list.scrollHeight <= list.clientHeight) return;
    chip.hidden = true;
    earlier.hidden = false;
    earlier.textContent = `+${index + 1}`;
  }
}
