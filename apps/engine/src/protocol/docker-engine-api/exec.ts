/**
 * `/containers/{id}/exec` and `/exec/{id}/…`: one more process in a running container.
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Exec
 */
import * as z from 'zod';
import { command, consoleSize, flag, text, texts } from './given.ts';

export const ExecCreateBody = z.object({
  User: text,
  Privileged: flag,
  Tty: flag,
  ConsoleSize: consoleSize,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  DetachKeys: text,
  Env: texts,
  WorkingDir: text,
  Cmd: command,
});
export type ExecCreateBody = z.output<typeof ExecCreateBody>;

export const ExecStartBody = z.object({ Detach: flag, Tty: flag, ConsoleSize: consoleSize });
export type ExecStartBody = z.output<typeof ExecStartBody>;

/** Answer of `GET /exec/{id}/json`. */
export interface ExecInspect {
  readonly ID: string;
  readonly Running: boolean;
  /** null before the start and while it runs. */
  readonly ExitCode: number | null;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly privileged: boolean;
    readonly user?: string;
  };
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
  readonly CanRemove: boolean;
  readonly ContainerID: string;
  readonly DetachKeys: string;
  readonly Pid: number;
}
