/*
 * Upstream: runc libcontainer/rootfs_linux.go (doTmpfsCopyUp), which cannot copy a FIFO.
 * getdents(2), statx(2), sendfile(2), mknod(2), path_resolution(7). Linux >= 4.11.
 *
 * SAFETY: the image is hostile, and another container may be changing the folder. Each entry is looked up once, as a
 * handle that opens nothing and follows no link (O_PATH | O_NOFOLLOW); whatever is asked or read afterwards is asked of
 * that handle. There is no C library, so nothing allocates or locks.
 */
#include "copy_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdint.h>

#include "fd_path.h"
#include "system_call.h"

/* A folder takes three descriptors and some kilobytes of the stack; upstream ends where the path is too long. */
#define DEPTH_LIMIT 128
#define BATCH_SIZE 4096
#define SENDFILE_LIMIT 0x7ffff000u

/* struct linux_dirent64 of getdents64(2), which no header has. */
struct directory_entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};
#define ENTRY_HEAD (offsetof(struct directory_entry, name))

static long open_at(long folder, const char *name, long flags, long mode) {
  return system_call(__NR_openat, folder, (long)name, flags | O_CLOEXEC, mode, 0, 0);
}

static void close_fd(const long *fd) {
  if (*fd >= 0)
    system_call(__NR_close, *fd, 0, 0, 0, 0, 0);
}
#define OWNED_FD __attribute__((cleanup(close_fd))) const long

/* Of a call whose result says no more than that it went well. */
static long error_or_nothing(long result) {
  return result < 0 ? result : 0;
}

static long copy_folder(long from, long to, int depth);

static long copy_subfolder(long source, long to, const char *name, int depth) {
  const long made = system_call(__NR_mkdirat, to, (long)name, 0700, 0, 0, 0);
  if (made < 0)
    return made;
  OWNED_FD target = open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  return target < 0 ? target : copy_folder(source, target, depth + 1);
}

/* What is written to it meanwhile is left out. */
static long copy_file(long source, long to, const char *name, uint64_t size) {
  // A handle cannot be read from; this is the same file, whatever has the name by now.
  char path[FD_PATH_SIZE];
  format_fd_path(path, source);
  OWNED_FD in = open_at(AT_FDCWD, path, O_RDONLY, 0);
  if (in < 0)
    return in;
  OWNED_FD out = open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (out < 0)
    return out;
  while (size > 0) {
    const uint64_t wanted = size < SENDFILE_LIMIT ? size : SENDFILE_LIMIT;
    const long sent = system_call(__NR_sendfile, out, in, 0, (long)wanted, 0, 0);
    if (sent < 0)
      return sent;
    if (sent == 0 || (uint64_t)sent > size)
      break;
    size -= (uint64_t)sent;
  }
  return 0;
}

static long copy_link(long source, long to, const char *name) {
  char target[PATH_MAX + 1] = {0};
  const long length = system_call(__NR_readlinkat, source, (long)"", (long)target, PATH_MAX, 0, 0);
  return length < 0 ? length : error_or_nothing(system_call(__NR_symlinkat, (long)target, to, (long)name, 0, 0, 0));
}

/* As mknod(2) wants it. */
static long device_number(const struct statx *facts) {
  const uint64_t major = facts->stx_rdev_major;
  const uint64_t minor = facts->stx_rdev_minor;
  return (long)((minor & 0xff) | (major << 8) | ((minor & ~(uint64_t)0xff) << 12));
}

/* How many entries lie below it, or an error. */
static long copy_contents(long source, long to, const char *name, const struct statx *facts, int depth) {
  switch (facts->stx_mode & S_IFMT) {
    case S_IFDIR:
      return copy_subfolder(source, to, name, depth);
    case S_IFREG:
      return copy_file(source, to, name, facts->stx_size);
    case S_IFLNK:
      return copy_link(source, to, name);
    default:
      return error_or_nothing(
          system_call(__NR_mknodat, to, (long)name, facts->stx_mode & S_IFMT, device_number(facts), 0, 0));
  }
}

/* The owner first: a change of owner takes the set-id bits away. */
static long settle(long to, const char *name, const struct statx *facts) {
  const long owned = system_call(__NR_fchownat, to, (long)name, facts->stx_uid, facts->stx_gid, AT_SYMLINK_NOFOLLOW, 0);
  if (owned < 0 || (facts->stx_mode & S_IFMT) == S_IFLNK)
    return owned;
  return system_call(__NR_fchmodat, to, (long)name, facts->stx_mode & 07777, 0, 0, 0);
}

/* How many entries that makes, or an error. */
static long copy_entry(long from, const char *name, long to, int depth) {
  OWNED_FD source = open_at(from, name, O_PATH | O_NOFOLLOW, 0);
  if (source < 0)
    return source;
  struct statx facts = {0};
  const long asked = system_call(__NR_statx, source, (long)"", AT_EMPTY_PATH, STATX_BASIC_STATS, (long)&facts, 0);
  if (asked < 0)
    return asked;
  const long below = copy_contents(source, to, name, &facts, depth);
  if (below < 0)
    return below;
  const long settled = settle(to, name, &facts);
  return settled < 0 ? settled : below + 1;
}

/* As the kernel makes them. The batch was empty before: whatever stands behind the name's end is zero, too. */
static int entry_is_sound(const struct directory_entry *entry, long room) {
  return entry->length > ENTRY_HEAD && entry->length <= room &&
         entry->length % _Alignof(struct directory_entry) == 0 && entry->name[entry->length - ENTRY_HEAD - 1] == 0;
}

static int is_dot_or_two(const char *name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

static long copy_folder(long source, long to, int depth) {
  if (depth > DEPTH_LIMIT)
    return -ENAMETOOLONG;
  OWNED_FD from = open_at(source, ".", O_RDONLY | O_DIRECTORY, 0);
  if (from < 0)
    return from;
  long copied = 0;
  for (;;) {
    _Alignas(struct directory_entry) unsigned char batch[BATCH_SIZE] = {0};
    const long size = system_call(__NR_getdents64, from, (long)batch, sizeof(batch), 0, 0, 0);
    if (size <= 0)
      return size < 0 ? size : copied;
    if ((unsigned long)size > sizeof(batch))
      return -EIO;
    for (long at = 0; at < size;) {
      const struct directory_entry *entry = (const struct directory_entry *)(const void *)(batch + at);
      if (!entry_is_sound(entry, size - at))
        return -EIO;
      at += entry->length;
      if (is_dot_or_two(entry->name))
        continue;
      const long made = copy_entry(from, entry->name, to, depth);
      if (made < 0)
        return made;
      copied += made;
    }
  }
}

long copy_tree(long from, long to) {
  return copy_folder(from, to, 0);
}
