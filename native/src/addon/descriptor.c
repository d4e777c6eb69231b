/* pipe(2), eventfd(2), mkfifo(3), open(2), splice(2), ioctl_tty(2). */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int close_descriptor(int fd, struct native_error *error) {
  // After EINTR the descriptor is gone as well (close(2), "Dealing with error returns"): never try again.
  if (close(fd) < 0 && errno != EINTR)
    return native_error_set(error, "close", NULL);
  return 0;
}

int make_pipe(int ends[2], struct native_error *error) {
  if (pipe2(ends, O_CLOEXEC) < 0)
    return native_error_set(error, "pipe2", NULL);
  return 0;
}

int make_eventfd(int *fd, struct native_error *error) {
  *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (*fd < 0)
    return native_error_set(error, "eventfd", NULL);
  return 0;
}

int make_fifo(const char *path, mode_t mode, struct native_error *error) {
  if (mkfifo(path, mode) == 0)
    return 0;
  if (errno != EEXIST)
    return native_error_set(error, "mkfifo", path);
  struct stat status;
  if (lstat(path, &status) < 0)
    return native_error_set(error, "lstat", path);
  if (!S_ISFIFO(status.st_mode))
    return native_error_set_number(error, EEXIST, "mkfifo", path);
  return 0;
}

int open_file(const char *path, int flags, mode_t mode, int *fd, struct native_error *error) {
  do {
    *fd = open(path, flags | O_CLOEXEC, mode);
  } while (*fd < 0 && errno == EINTR);
  if (*fd < 0)
    return native_error_set(error, "open", path);
  return 0;
}

int splice_from_pipe(int from, int to, const int64_t *offset, size_t limit, int64_t *moved, bool *would_block,
                     struct native_error *error) {
  off64_t place = offset == NULL ? 0 : *offset;
  do {
    *moved = splice(from, NULL, to, offset == NULL ? NULL : &place, limit, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (*moved < 0 && errno == EINTR);
  *would_block = *moved < 0 && errno == EAGAIN;
  if (*moved < 0 && !*would_block)
    return native_error_set(error, "splice", NULL);
  return 0;
}

int set_non_blocking(int fd, struct native_error *error) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
    return native_error_set(error, "fcntl", NULL);
  return 0;
}

int set_window_size(int fd, unsigned short rows, unsigned short columns, struct native_error *error) {
  const struct winsize size = {.ws_row = rows, .ws_col = columns};
  if (ioctl(fd, TIOCSWINSZ, &size) < 0)
    return native_error_set(error, "ioctl", NULL);
  return 0;
}
