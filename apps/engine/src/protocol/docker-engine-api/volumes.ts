/**
 * `/volumes/…`, and the mounts of a container: what is sent and answered. Names are exactly those of the wire.
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Volume
 */
import * as z from 'zod';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const integer = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);
const textMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** One `--mount`. */
export const MountRequest = z.object({
  Type: text,
  Source: text,
  Target: text,
  ReadOnly: flag,
  BindOptions: z
    .object({ Propagation: text, NonRecursive: flag, CreateMountpoint: flag })
    .nullish()
    .transform((value) => value ?? null),
  VolumeOptions: z
    .object({
      NoCopy: flag,
      Labels: textMap,
      Subpath: text,
      DriverConfig: z
        .object({ Name: text, Options: textMap })
        .nullish()
        .transform((value) => value ?? { Name: '', Options: {} }),
    })
    .nullish()
    .transform((value) => value ?? null),
  TmpfsOptions: z
    .object({ SizeBytes: integer, Mode: integer })
    .nullish()
    .transform((value) => value ?? null),
});
export type MountRequest = z.output<typeof MountRequest>;

/** `POST /volumes/create`. */
export const VolumeCreateBody = z.object({
  Name: text,
  Driver: text,
  DriverOpts: textMap,
  Labels: textMap,
});
export type VolumeCreateBody = z.output<typeof VolumeCreateBody>;

export interface VolumeAnswer {
  readonly CreatedAt: string;
  readonly Driver: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Mountpoint: string;
  readonly Name: string;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Scope: 'local';
}

/** One entry of `Mounts` in `docker inspect` and `docker ps`. */
export interface MountAnswer {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}
