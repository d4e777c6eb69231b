/** Buttons in a row that are one stop for Tab. */
import type { ReactNode } from 'react';
import { ACROSS, useRoving } from './use-roving.ts';

interface ToolbarProps {
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
}

export const Toolbar = ({ label, className, children }: ToolbarProps) => {
  const roving = useRoving<HTMLDivElement>('button', ACROSS);
  return (
    <div className={className} role="toolbar" aria-label={label} {...roving}>
      {children}
    </div>
  );
};
