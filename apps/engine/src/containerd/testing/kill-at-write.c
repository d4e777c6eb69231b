/*
 * LD_PRELOAD: counts the calls that change files below KILL_ROOT, and kills the process in the middle of number KILL_AT.
 * Of a write the first half is written before the kill; any other call is not made. Without KILL_AT the number of
 * calls is written to KILL_COUNT at exit. See ld.so(8), write(2), signal(7).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_long calls;
static long kill_at;
static char root[PATH_MAX];
static size_t root_len;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("KILL_ROOT");
  const char *at = getenv("KILL_AT");
  if (path) root_len = (size_t)snprintf(root, sizeof root, "%s/", path);
  kill_at = at ? atol(at) : -1;
}

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("KILL_COUNT");
  FILE *out = path ? fopen(path, "w") : NULL;
  if (!out) return;
  fprintf(out, "%ld\n", atomic_load(&calls));
  fclose(out);
}

/* True when this is the one. */
static int is_due(const char *path) {
  if (root_len == 0 || !path || strncmp(path, root, root_len) != 0) return 0;
  return atomic_fetch_add(&calls, 1) + 1 == kill_at;
}

static int is_due_fd(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return is_due(path);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

ssize_t write(int fd, const void *bytes, size_t size) {
  if (is_due_fd(fd)) {
    REAL(write)(fd, bytes, size / 2);
    die();
  }
  return REAL(write)(fd, bytes, size);
}

#define PWRITE(name, off)                                            \
  ssize_t name(int fd, const void *bytes, size_t size, off offset) { \
    if (is_due_fd(fd)) {                                             \
      REAL(name)(fd, bytes, size / 2, offset);                       \
      die();                                                         \
    }                                                                \
    return REAL(name)(fd, bytes, size, offset);                      \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (is_due_fd(fd)) {
    REAL(write)(fd, parts[0].iov_base, parts[0].iov_len / 2);
    die();
  }
  return REAL(writev)(fd, parts, count);
}

#define PWRITEV(name, off)                                              \
  ssize_t name(int fd, const struct iovec *parts, int count, off offset) { \
    if (is_due_fd(fd)) {                                                \
      REAL(pwrite64)(fd, parts[0].iov_base, parts[0].iov_len / 2, offset); \
      die();                                                            \
    }                                                                   \
    return REAL(name)(fd, parts, count, offset);                        \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

#define ON_FD(name)                \
  int name(int fd) {               \
    if (is_due_fd(fd)) die();      \
    return REAL(name)(fd);         \
  }
ON_FD(fsync)
ON_FD(fdatasync)

int ftruncate64(int fd, off64_t size) {
  if (is_due_fd(fd)) die();
  return REAL(ftruncate64)(fd, size);
}

int ftruncate(int fd, off_t size) {
  if (is_due_fd(fd)) die();
  return REAL(ftruncate)(fd, size);
}

int rename(const char *from, const char *to) {
  if (is_due(from)) die();
  return REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode) {
  if (is_due(path)) die();
  return REAL(mkdir)(path, mode);
}

#define ON_PATH(name)              \
  int name(const char *path) {     \
    if (is_due(path)) die();       \
    return REAL(name)(path);       \
  }
ON_PATH(unlink)
ON_PATH(rmdir)

#define OPEN(name)                                   \
  int name(const char *path, int flags, ...) {       \
    va_list list;                                    \
    va_start(list, flags);                           \
    mode_t mode = va_arg(list, mode_t);              \
    va_end(list);                                    \
    if ((flags & O_CREAT) && is_due(path)) die();    \
    return REAL(name)(path, flags, mode);            \
  }
OPEN(open)
OPEN(open64)
