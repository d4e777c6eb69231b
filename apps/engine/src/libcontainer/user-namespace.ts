/**
 * A user namespace of its own: root in the container is an ordinary user outside. Who is whom stands in two maps, and
 * only a process outside may write them: runc. It finds init's folder in /proc by a descriptor that init holds.
 *
 *   runc                            init
 *   clone3(CLONE_NEWUSER …) ──────▶ born as nobody; opens /proc/self
 *   read …  ◀──────────────── "1" ─ "give me numbers"
 *   pidfd_getfd, uid_map, gid_map   read …
 *   write ─────────────────── "1" ▶ setresuid(0): root of the namespace
 *
 * user_namespaces(7), pidfd_getfd(2). Upstream: runc libcontainer/nsenter/nsexec.c (update_uidmap), process_linux.go.
 */
import { type Compilation, FD, refuse, SLOT } from './compilation.ts';
import { hasNew, isInUserNamespace, joinByPath, namespaceOf } from './namespaces.ts';
import { openFlags } from './plan/constants.ts';
import { AT_FDCWD, flags, number, slot, struct, text } from './plan/stage-builder.ts';
import { hear, say } from './sync-words.ts';
import { becomeRootOfUserNamespace } from './user.ts';

type Mappings = NonNullable<Compilation['linux']['uidMappings']>;

export const checkUserNamespace = (c: Compilation): void => {
  const [uids, gids] = [c.linux.uidMappings ?? [], c.linux.gidMappings ?? []];
  const namespace = namespaceOf(c, 'user');
  if (!namespace) {
    if (uids.length + gids.length > 0)
      refuse("User namespace mappings specified, but USER namespace isn't enabled in the config");
    return;
  }
  // The one that exists has its maps; what is said of them here can only be checked against what the container wants.
  if (namespace.path && uids.length + gids.length === 0) return;
  if (uids.length === 0) refuse('User namespaces enabled, but no uid mappings found.');
  if (gids.length === 0) refuse('User namespaces enabled, but no gid mappings found.');
  for (const [what, maps] of [
    ['uid', uids],
    ['gid', gids],
  ] as const) {
    if (!maps.some((map) => contains(map, 0)))
      refuse(`the ${what} mappings must have a place for ${what} 0 of the container`);
  }
  const { uid, gid, additionalGids } = c.process.user;
  if (!uids.some((map) => contains(map, uid)))
    refuse(`user ${uid} has no place in the uid mappings`);
  const missing = [gid, ...(additionalGids ?? [])].find(
    (group) => !gids.some((map) => contains(map, group)),
  );
  if (missing !== undefined) refuse(`group ${missing} has no place in the gid mappings`);
};

const contains = ({ containerID, size }: Mappings[number], id: number): boolean =>
  id >= containerID && id < containerID + size;

/** Precondition: init is born, and its end of the line is closed here. */
export const writeIdMaps = (c: Compilation): void => {
  if (!hasNew(c, 'user')) return;
  hear(c.parent, SLOT.syncRunc, 'wait until init has opened its folder in /proc', 'init');
  const words = { object: 'namespace', purpose: 'id map' } as const;
  c.parent.call('pidfd_open', [slot(SLOT.init), number(0)], {
    ...words,
    title: 'hold init itself, not its number',
    source: __SOURCE__,
    reference: 'man:pidfd_open(2)',
    resultSlot: SLOT.container,
  });
  c.parent.call('pidfd_getfd', [slot(SLOT.container), number(FD.initInProc), number(0)], {
    ...words,
    title: "take over init's descriptor of its folder in /proc",
    source: __SOURCE__,
    reference: 'man:pidfd_getfd(2)',
    resultSlot: SLOT.initInProc,
  });
  writeMap(c, 'uid_map', c.linux.uidMappings ?? []);
  writeMap(c, 'gid_map', c.linux.gidMappings ?? []);
  say(c.parent, SLOT.syncRunc, 'init has its numbers', 'init');
};

const writeMap = (c: Compilation, file: 'uid_map' | 'gid_map', maps: Mappings): void => {
  const open = openFlags(c.facts.architecture);
  const lines = maps
    .map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`)
    .join('');
  const bytes = new TextEncoder().encode(lines);
  const words = { object: 'namespace', purpose: 'id map' } as const;
  c.parent.call(
    'openat',
    [slot(SLOT.initInProc), text(file), flags(open, open.O_WRONLY | open.O_CLOEXEC)],
    {
      ...words,
      title: `open init's ${file}`,
      source: __SOURCE__,
      reference: 'man:user_namespaces(7)',
      resultSlot: SLOT.idMap,
    },
  );
  const who = file === 'uid_map' ? 'users' : 'groups';
  c.parent.call(
    'write',
    [slot(SLOT.idMap), struct({ bytes }, JSON.stringify(lines)), number(bytes.length)],
    {
      ...words,
      title: `which ${who} of the host the container's ${who} are`,
      level: 'step',
      source: __SOURCE__,
      reference: 'man:user_namespaces(7)',
      expect: bytes.length,
    },
  );
  c.parent.call('close', [slot(SLOT.idMap)], {
    ...words,
    title: `${file} is written once only`,
    source: __SOURCE__,
    reference: 'man:close(2)',
  });
};

/** Precondition: whatever of the host's only its root may open is open. Postcondition: init is root of its namespace. */
export const takeIds = (c: Compilation): void => {
  if (hasNew(c, 'user')) waitForMaps(c);
  if (isInUserNamespace(c)) becomeRootOfUserNamespace(c.init);
};

/**
 * An existing one is entered by runc, last of all before the clone: afterwards it has no power over the host any more,
 * and needs none.
 */
export const joinUserNamespace = (c: Compilation): void => joinByPath(c, c.parent, 'user');

const waitForMaps = (c: Compilation): void => {
  const open = openFlags(c.facts.architecture);
  const words = { object: 'namespace', source: __SOURCE__, purpose: 'id map' } as const;
  c.init.call(
    'openat',
    [AT_FDCWD, text('/proc/self'), flags(open, open.O_PATH | open.O_DIRECTORY | open.O_CLOEXEC)],
    {
      ...words,
      title: "its own folder in the host's /proc, for runc to find",
      reference: 'man:proc_pid(5)',
      resultSlot: SLOT.initInProc,
    },
  );
  const { O_CLOEXEC } = open;
  c.init.call(
    'dup3',
    [slot(SLOT.initInProc), number(FD.initInProc), flags({ O_CLOEXEC }, O_CLOEXEC)],
    { ...words, title: 'where runc looks for it', reference: 'man:dup(2)' },
  );
  say(c.init, SLOT.syncInit, 'ask runc for numbers', 'sync');
  hear(c.init, SLOT.syncInit, 'wait for the maps', 'sync');
  c.init.call('close', [number(FD.initInProc)], {
    ...words,
    title: "let go of the host's /proc",
    reference: 'man:close(2)',
  });
};
