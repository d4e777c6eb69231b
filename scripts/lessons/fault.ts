/** What is wrong with a lesson, and where: the writer sees the file, the line and the reason. */
export interface Fault {
  readonly line: number;
  readonly reason: string;
}

export type GiveFault = (line: number, reason: string) => void;

export class LessonError extends Error {
  readonly file: string;
  readonly faults: readonly Fault[];

  constructor(file: string, faults: readonly Fault[]) {
    super(faults.map(({ line, reason }) => `${file}:${line}: ${reason}`).join('\n'));
    this.file = file;
    this.faults = faults;
  }
}
