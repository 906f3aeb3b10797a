// Root works in a directory that belongs to somebody else: with that user's rights, lest his links lead root elsewhere.
import { statSync } from 'node:fs';

/** `work` is over when it returns: the rights are those of the whole process, and nothing else shall run with them. */
export function asOwnerOf<T>(directory: string, work: () => T): T {
  const { uid, gid } = statSync(directory);
  const { getegid, getgroups, setegid, seteuid, setgroups } = process;
  if (process.geteuid?.() !== 0 || uid === 0) return work();
  if (!getegid || !getgroups || !setegid || !seteuid || !setgroups) return work();
  const [group, groups] = [getegid(), getgroups()];
  try {
    setgroups([gid]);
    setegid(gid);
    seteuid(uid);
    return work();
  } finally {
    seteuid(0);
    setegid(group);
    setgroups(groups);
  }
}
