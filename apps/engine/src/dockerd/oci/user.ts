/**
 * `-u name:group` → numbers, by the image's own /etc/passwd and /etc/group. The kernel knows numbers only.
 * See passwd(5), group(5). Upstream: github.com/moby/sys/user GetExecUser.
 */
import { EngineError } from '../../protocol/errdefs.ts';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

export interface UserFiles {
  /** Contents; empty where the image has no such file. */
  readonly passwd: string;
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}
interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const MAX_ID = 2 ** 31 - 1;
const isNumber = (text: string): boolean => /^\d+$/.test(text);
const idOf = (text: string): number => (isNumber(text) ? Number(text) : NaN);

const records = (file: string): string[][] =>
  file
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));

const parsePasswd = (file: string): PasswdEntry[] =>
  records(file)
    .map(([name = '', , uid = '', gid = '', , home = '']) => ({
      name,
      uid: idOf(uid),
      gid: idOf(gid),
      home,
    }))
    .filter((entry) => entry.uid <= MAX_ID && entry.gid <= MAX_ID);

const parseGroup = (file: string): GroupEntry[] =>
  records(file)
    .map(([name = '', , gid = '', members = '']) => ({
      name,
      gid: idOf(gid),
      members: members.split(',').filter((member) => member !== ''),
    }))
    .filter((entry) => entry.gid <= MAX_ID);

const checkedId = (text: string): number => {
  const id = Number(text);
  if (id <= MAX_ID) return id;
  throw new EngineError('invalid_argument', 'uids and gids must be in range 0-2147483647');
};

const groupId = (groups: readonly GroupEntry[], text: string): number => {
  const entry = groups.find(({ name }) => name === text);
  if (entry) return entry.gid;
  if (isNumber(text)) return checkedId(text);
  throw new EngineError(
    'invalid_argument',
    `unable to find group ${text}: no matching entries in group file`,
  );
};

/** `given` is Config.User: empty, `user`, `user:group`, names or numbers. */
export const resolveUser = (
  given: string,
  files: UserFiles,
  groupAdd: readonly string[] = [],
): ResolvedUser => {
  const colon = given.indexOf(':');
  const userText = (colon < 0 ? given : given.slice(0, colon)) || '0';
  const groupText = colon < 0 ? '' : given.slice(colon + 1);
  const groups = parseGroup(files.group);
  const users = parsePasswd(files.passwd);
  // A name wins over a number: a user may be called "1000".
  const entry =
    users.find(({ name }) => name === userText) ??
    (isNumber(userText) ? users.find(({ uid }) => uid === Number(userText)) : undefined);
  if (!entry && !isNumber(userText)) {
    throw new EngineError(
      'invalid_argument',
      `unable to find user ${userText}: no matching entries in passwd file`,
    );
  }
  const uid = entry?.uid ?? checkedId(userText);
  const gid = groupText === '' ? (entry?.gid ?? 0) : groupId(groups, groupText);
  // An explicit group replaces the groups that list the user as a member.
  const memberOf =
    groupText === '' && entry
      ? groups.filter(({ members }) => members.includes(entry.name)).map((group) => group.gid)
      : [];
  const added = groupAdd.map((text) => groupId(groups, text));
  return {
    uid,
    gid,
    additionalGids: [...new Set([gid, ...memberOf, ...added])],
    home: entry?.home || '/',
  };
};
