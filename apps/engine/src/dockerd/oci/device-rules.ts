/**
 * Which devices a container has and which it may use: a node alone opens nothing, the cgroup decides.
 * Upstream: moby daemon/oci_linux.go WithDevices, daemon/pkg/oci/oci.go.
 * Reference: https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#allowed-device-list
 */
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { LinuxDevice, LinuxDeviceCgroup } from '../../protocol/oci/runtime-spec.ts';
import { allHostDevices, devicesAt } from './host-devices.ts';

const character = (major: number, minor: number | null, access = 'rwm'): LinuxDeviceCgroup => ({
  allow: true,
  type: 'c',
  major,
  ...(minor === null ? {} : { minor }),
  access,
});

/** Nothing, except making any node (mknod alone opens nothing) and using the harmless ones. */
const DEFAULT_RULES: readonly LinuxDeviceCgroup[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  character(1, 3), // null
  character(1, 5), // zero
  character(1, 7), // full
  character(1, 8), // random
  character(1, 9), // urandom
  character(5, 0), // tty
  character(5, 1), // console
  character(5, 2), // ptmx
  character(136, null), // pts
];

const EVERYTHING: readonly LinuxDeviceCgroup[] = [{ allow: true, access: 'rwm' }];

/** `c 1:3 rwm`; `*` is any number, and a number that is not given is any as well. */
const RULE = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/;

const ruleFrom = (text: string): LinuxDeviceCgroup => {
  const [, type = '', major = '', minor = '', access = ''] = RULE.exec(text) ?? [];
  if (type === '') {
    throw new EngineError('invalid_argument', `invalid device cgroup rule format: '${text}'`);
  }
  return {
    allow: true,
    type: type as 'a' | 'b' | 'c',
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
};

export interface ContainerDevices {
  readonly devices: LinuxDevice[];
  readonly rules: LinuxDeviceCgroup[];
}

const refuseRequests = ({ DeviceRequests }: HostConfig): void => {
  const [first] = DeviceRequests;
  if (!first) return;
  // No driver of devices is here, so none can be chosen. Upstream: moby daemon/devices.go handleDevice.
  const capabilities = first.Capabilities.map((words) => `[${words.join(' ')}]`).join(' ');
  throw new EngineError(
    'internal',
    `could not select device driver "${first.Driver}" with capabilities: [${capabilities}]`,
  );
};

/** Looks at the host's /dev, so it is asked when the container starts. */
export const containerDevices = (host: HostConfig): ContainerDevices => {
  refuseRequests(host);
  if (host.Privileged) {
    const renamed = host.Devices.filter((asked) => asked.PathOnHost !== asked.PathInContainer);
    return {
      devices: [
        ...allHostDevices(),
        ...renamed.flatMap((asked) => devicesAt(asked.PathOnHost, asked.PathInContainer)),
      ],
      rules: [...EVERYTHING],
    };
  }
  const asked = host.Devices.map(({ PathOnHost, PathInContainer, CgroupPermissions }) => ({
    devices: devicesAt(PathOnHost, PathInContainer),
    access: CgroupPermissions,
  }));
  const forAsked = asked.flatMap(({ devices, access }) =>
    devices.map(({ type, major = 0, minor = 0 }): LinuxDeviceCgroup => ({
      allow: true,
      type: type === 'b' ? 'b' : 'c',
      major,
      minor,
      access,
    })),
  );
  return {
    devices: asked.flatMap(({ devices }) => devices),
    rules: [...DEFAULT_RULES, ...forAsked, ...host.DeviceCgroupRules.map(ruleFrom)],
  };
};
