/** What the programs are that a lesson names: one for each name of the protocol. */
import { PROGRAMS, type ProgramName } from '../../protocol/lesson/programs.ts';
import { DOCKERD_ON_TCP } from './dockerd-on-tcp.ts';
import { LIST_CONTAINERS } from './list-containers.ts';
import { SOCKET_IS_ROOT } from './socket-is-root.ts';
import type { LabProgram } from './program.ts';

const TABLE: Readonly<Record<ProgramName, LabProgram>> = {
  ...LIST_CONTAINERS,
  ...SOCKET_IS_ROOT,
  ...DOCKERD_ON_TCP,
};

/** Null when the line is the name of none. */
export const programOf = (line: string): LabProgram | null => {
  const name = PROGRAMS.find((each) => each === line.trim());
  return name === undefined ? null : TABLE[name];
};
