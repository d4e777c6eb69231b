/**
 * `/containers/…`: what is sent and answered. Names are exactly those of the wire.
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Container
 */
import * as z from 'zod';
import {
  command,
  consoleSize,
  flag,
  integer,
  optionalInteger,
  or,
  set,
  text,
  textMap,
  texts,
} from './given.ts';
import { NetworkingConfig } from './networks.ts';
import { MountRequest, type MountAnswer } from './volumes.ts';

/** `--health-cmd` and the rest, or the image's HEALTHCHECK. Times in nanoseconds; 0 is Docker's default. */
export const Healthcheck = z.object({
  Test: texts,
  Interval: integer,
  Timeout: integer,
  StartPeriod: integer,
  StartInterval: integer,
  Retries: integer,
});
export type Healthcheck = z.output<typeof Healthcheck>;

export const ContainerConfig = z.object({
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: set,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: texts,
  Cmd: command,
  Healthcheck: Healthcheck.nullish().transform((check) => check ?? undefined),
  Image: text,
  Volumes: set,
  WorkingDir: text,
  Entrypoint: command,
  NetworkDisabled: flag,
  MacAddress: text,
  Labels: textMap,
  StopSignal: text,
  StopTimeout: optionalInteger,
});
export type ContainerConfig = z.output<typeof ContainerConfig>;

export const Ulimit = z.object({
  Name: z.string(),
  Soft: z.number().int(),
  Hard: z.number().int(),
});
export type Ulimit = z.output<typeof Ulimit>;

/** Bytes or operations a second, of one device of the host. */
const throttled = or(z.array(z.object({ Path: text, Rate: z.number().int().nonnegative() })), []);

export const HostConfig = z.object({
  Binds: texts,
  Mounts: or(z.array(MountRequest), []),
  Tmpfs: textMap,
  VolumesFrom: texts,
  VolumeDriver: text,
  ContainerIDFile: text,
  LogConfig: or(z.object({ Type: text, Config: textMap }), { Type: '', Config: {} }),
  NetworkMode: text,
  PortBindings: set,
  PublishAllPorts: flag,
  RestartPolicy: or(z.object({ Name: text, MaximumRetryCount: integer }), {
    Name: '',
    MaximumRetryCount: 0,
  }),
  AutoRemove: flag,
  ConsoleSize: consoleSize,
  CapAdd: texts,
  CapDrop: texts,
  CgroupnsMode: text,
  Dns: texts,
  DnsOptions: texts,
  DnsSearch: texts,
  ExtraHosts: texts,
  GroupAdd: texts,
  IpcMode: text,
  Cgroup: text,
  CgroupParent: text,
  Links: texts,
  OomScoreAdj: integer,
  PidMode: text,
  Privileged: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: texts,
  StorageOpt: textMap,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: integer,
  Sysctls: textMap,
  Runtime: text,
  Isolation: text,
  Annotations: textMap,
  CpuShares: integer,
  Memory: integer,
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: optionalInteger,
  NanoCpus: integer,
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: text,
  CpusetMems: text,
  BlkioWeight: integer,
  BlkioWeightDevice: or(z.array(z.object({ Path: text, Weight: integer })), []),
  BlkioDeviceReadBps: throttled,
  BlkioDeviceWriteBps: throttled,
  BlkioDeviceReadIOps: throttled,
  BlkioDeviceWriteIOps: throttled,
  Devices: or(
    z.array(z.object({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text })),
    [],
  ),
  DeviceCgroupRules: texts,
  DeviceRequests: or(
    z.array(
      z.object({
        Driver: text,
        Count: integer,
        DeviceIDs: texts,
        Capabilities: or(z.array(texts), []),
        Options: textMap,
      }),
    ),
    [],
  ),
  OomKillDisable: or(z.boolean().nullable(), null),
  PidsLimit: optionalInteger,
  Ulimits: or(z.array(Ulimit), []),
  Init: or(z.boolean().nullable(), null),
  MaskedPaths: or(z.array(z.string()).nullable(), null),
  ReadonlyPaths: or(z.array(z.string()).nullable(), null),
});
export type HostConfig = z.output<typeof HostConfig>;

/** `POST /containers/{id}/update`: 0 and empty mean that it stays as it is. */
export const UpdateBody = HostConfig.pick({
  RestartPolicy: true,
  CpuShares: true,
  Memory: true,
  MemoryReservation: true,
  MemorySwap: true,
  NanoCpus: true,
  CpuPeriod: true,
  CpuQuota: true,
  CpusetCpus: true,
  CpusetMems: true,
  PidsLimit: true,
});
export type UpdateBody = z.output<typeof UpdateBody>;

/** `POST /containers/create`: the config with two companions beside its fields. */
export const ContainerCreateBody = z.intersection(
  ContainerConfig,
  z.object({
    // Absent and null are the same to Go's decoder: every field has its default.
    HostConfig: z.preprocess((given) => given ?? {}, HostConfig),
    NetworkingConfig,
  }),
);

export interface ContainerCreateResponse {
  readonly Id: string;
  readonly Warnings: readonly string[];
}

/** The words that `docker ps` and `inspect` know. */
export type ContainerStatus =
  'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** One line of `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  readonly Created: number;
  readonly Ports: readonly unknown[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: ContainerStatus;
  readonly Status: string;
  readonly HostConfig: { readonly NetworkMode: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
  readonly Mounts: readonly MountAnswer[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
}

/** Answer of `POST /containers/{id}/wait`. */
export interface WaitResponse {
  readonly StatusCode: number;
  readonly Error: { readonly Message: string } | null;
}

export const WAIT_CONDITIONS = ['not-running', 'next-exit', 'removed'] as const;
export type WaitCondition = (typeof WAIT_CONDITIONS)[number];
