/**
 * What the container takes itself for: host name, domain name, kernel parameters, its place with the OOM killer.
 * sethostname(2), sysctl(8), proc_pid_oom_score_adj(5), keyrings(7). Upstream: runc libcontainer/standard_init_linux.go.
 */
import { type Compilation, refuse } from './compilation.ts';
import { isApart } from './namespaces.ts';
import { KEYCTL_JOIN_SESSION_KEYRING } from './plan/constants.ts';
import { ERRNO } from './plan/errno.ts';
import { number, type StageBuilder, text } from './plan/stage-builder.ts';

const byteLength = (value: string): number => new TextEncoder().encode(value).length;

export const checkIdentity = (c: Compilation): void => {
  if (!isApart(c, 'uts')) {
    if (c.spec.hostname) refuse('unable to set hostname without a private UTS namespace');
    if (c.spec.domainname) refuse('unable to set domainname without a private UTS namespace');
  }
  for (const key of Object.keys(c.linux.sysctl ?? {})) checkSysctl(c, key);
};

export const setNames = (c: Compilation): void => {
  if (c.spec.hostname) {
    c.init.call('sethostname', [text(c.spec.hostname), number(byteLength(c.spec.hostname))], {
      title: `its host name is ${c.spec.hostname}`,
      object: 'identity',
      source: __SOURCE__,
      reference: 'man:sethostname(2)',
      purpose: 'sethostname',
    });
  }
  if (c.spec.domainname) {
    c.init.call('setdomainname', [text(c.spec.domainname), number(byteLength(c.spec.domainname))], {
      title: `its domain name is ${c.spec.domainname}`,
      object: 'identity',
      source: __SOURCE__,
      reference: 'man:setdomainname(2)',
      purpose: 'setdomainname',
    });
  }
};

const IPC_SYSCTLS = new Set(
  'kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced'.split(
    ' ',
  ),
);

/** `net/ipv4/ip_forward` and `net.ipv4.ip_forward` mean the same. */
const sysctlPath = (key: string): string => (key.includes('/') ? key : key.replaceAll('.', '/'));

/** Only parameters that belong to a namespace that the host is not in. */
const checkSysctl = (c: Compilation, key: string): void => {
  const path = sysctlPath(key);
  if (path.split('/').some((part) => part === '..' || part === ''))
    refuse(`sysctl ${JSON.stringify(key)} is not a name`);
  const dotted = path.replaceAll('/', '.');
  const isIpc = IPC_SYSCTLS.has(dotted) || dotted.startsWith('fs.mqueue.');
  const isNet = dotted.startsWith('net.');
  const isUts = dotted === 'kernel.domainname' || dotted === 'kernel.hostname';
  if (isIpc && isApart(c, 'ipc')) return;
  if (isNet && isApart(c, 'network')) return;
  if (isUts && isApart(c, 'uts')) return;
  if (isIpc || isNet || isUts)
    refuse(
      `sysctl ${JSON.stringify(key)} is not allowed in the hosts ${isIpc ? 'ipc' : isNet ? 'network' : 'uts'} namespace`,
    );
  refuse(`sysctl ${JSON.stringify(key)} is not in a separate kernel namespace`);
};

/** Through the host's /proc: the kernel takes the namespaces of the process that opens the file. */
export const writeSysctls = (c: Compilation): void => {
  for (const [key, value] of Object.entries(c.linux.sysctl ?? {})) {
    c.init.writeFile(`/proc/sys/${sysctlPath(key)}`, value, {
      title: `kernel parameter ${key} = ${value}, in its own namespace`,
      object: 'limit',
      source: __SOURCE__,
      reference: 'OCI config-linux.md#sysctl',
      purpose: 'sysctl',
    });
  }
};

/** With a user namespace runc sets it for init to inherit: there, nobody may lower it. */
export const setOomScore = (c: Compilation, stage: StageBuilder): void => {
  const value = c.process.oomScoreAdj;
  if (value === undefined || value === null) return;
  stage.writeFile('/proc/self/oom_score_adj', String(value), {
    title: 'how likely it is killed first when memory runs out',
    object: 'limit',
    source: __SOURCE__,
    reference: 'man:proc_pid_oom_score_adj(5)',
    purpose: 'oom_score_adj',
  });
};

/** Best effort, as upstream: without it the container would find the keys of whoever started it. */
export const joinSessionKeyring = (c: Compilation): void => {
  c.init.call(
    'keyctl',
    [number(KEYCTL_JOIN_SESSION_KEYRING, 'KEYCTL_JOIN_SESSION_KEYRING'), text(`_ses.${c.id}`)],
    {
      title: 'a keyring of its own',
      object: 'identity',
      source: __SOURCE__,
      reference: 'man:keyctl(2)',
      ignore: [ERRNO.ENOSYS, 122 /* EDQUOT */],
      purpose: 'keyring',
    },
  );
};
