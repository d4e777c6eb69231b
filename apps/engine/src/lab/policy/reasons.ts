/** Why a flag that Docker has is not for the page: what people will miss most, and the reason. */
const NO_FILES = 'the page may not use files of this machine';
const NO_HOST = 'the page may not share namespaces with the machine or with other containers';

/** Flags that Docker has and the page has not, with the reason. */
export const REASONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['--mount', '--tmpfs', '--volumes-from', '--volume-driver'].map((name) => [
      name,
      'the page may mount volumes only, with -v NAME:/PATH: with another mount a container can read and change this machine',
    ]),
  ),
  ...Object.fromEntries(
    ['--pid', '--ipc', '--uts', '--userns', '--cgroupns', '--cgroup-parent'].map((name) => [
      name,
      NO_HOST,
    ]),
  ),
  ...Object.fromEntries(
    ['--env-file', '--label-file', '--cidfile', '--security-opt'].map((name) => [name, NO_FILES]),
  ),
  '--security-opt': 'the page may not loosen what confines a container',
  '--privileged': 'a privileged container is root on this machine',
  '--cap-add': 'from the page capabilities may only be dropped',
  ...Object.fromEntries(
    ['--device', '--device-cgroup-rule', '--gpus'].map((name) => [
      name,
      'the page may not hand devices to a container',
    ]),
  ),
  ...Object.fromEntries(
    ['-P', '--publish-all'].map((name) => [
      name,
      'the page may not open ports of this machine to others: -p 127.0.0.1:8080:80 opens one for itself',
    ]),
  ),
  '--runtime': 'the page uses the runtime of the engine',
};
