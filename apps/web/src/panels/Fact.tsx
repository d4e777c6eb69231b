import type { ReactNode } from 'react';

/** A name and what is known under it. Evidence (pids, bytes, paths) is set in the machine's face. */
export const Fact = ({
  name,
  mono = false,
  children,
}: {
  name: string;
  mono?: boolean;
  children: ReactNode;
}) => (
  <div>
    <dt>{name}</dt>
    <dd className={mono ? 'mono breaks' : undefined}>{children}</dd>
  </div>
);
