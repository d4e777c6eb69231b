/**
 * Who the container's program is: groups first, then gid, then uid, for afterwards it may no longer choose.
 * credentials(7), setgroups(2), setresuid(2). Upstream: runc libcontainer/init_linux.go (setupUser).
 */
import type { Compilation } from './compilation.ts';
import { number, pack, type StageBuilder, struct } from './plan/stage-builder.ts';

export const changeUser = (c: Compilation): void => {
  const { uid, gid, additionalGids } = c.process.user;
  const groups = additionalGids ?? [];
  c.init.call(
    'setgroups',
    [
      number(groups.length),
      struct({ bytes: pack(groups.map((group) => [4, group])) }, `[${groups.join(', ')}]`),
    ],
    {
      title:
        groups.length === 0
          ? 'a member of no other groups'
          : `a member of the groups ${groups.join(', ')}`,
      object: 'identity',
      source: __SOURCE__,
      reference: 'man:setgroups(2)',
      purpose: 'user',
    },
  );
  c.init.call('setresgid', [number(gid), number(gid), number(gid)], {
    title: `its group is ${gid}`,
    object: 'identity',
    source: __SOURCE__,
    reference: 'man:setresgid(2)',
    purpose: 'user',
  });
  c.init.call('setresuid', [number(uid), number(uid), number(uid)], {
    title: `its user is ${uid}${uid === 0 ? ' (root, but only in name)' : ''}`,
    object: 'identity',
    level: uid === 0 ? 'detail' : 'step',
    source: __SOURCE__,
    reference: 'man:setresuid(2)',
    purpose: 'user',
  });
};

/** Precondition: in the container's user namespace, whose maps are written; until then no number there is ours. */
export const becomeRootOfUserNamespace = (stage: StageBuilder): void => {
  const words = { object: 'identity', source: __SOURCE__, purpose: 'user' } as const;
  stage.call('setresgid', [number(0), number(0), number(0)], {
    ...words,
    title: 'group 0 of the user namespace, an ordinary group outside of it',
    reference: 'man:user_namespaces(7)',
  });
  stage.call('setresuid', [number(0), number(0), number(0)], {
    ...words,
    title: 'root of the user namespace, an ordinary user outside of it',
    reference: 'man:user_namespaces(7)',
  });
};

/** While runc furnishes the rootfs no bits shall be masked; the program gets its own mask. */
export const setUmask = (c: Compilation): void => {
  const mask = c.process.user.umask ?? 0o022;
  c.init.call('umask', [number(mask & 0o777, `0${(mask & 0o777).toString(8)}`)], {
    title: 'the usual mask for new files',
    object: 'identity',
    source: __SOURCE__,
    reference: 'man:umask(2)',
    purpose: 'user',
  });
};
