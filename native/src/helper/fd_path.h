/* "/proc/self/fd/<n>": a path for calls that take no descriptor. proc_pid_fd(5) */
#ifndef ENGINE_ROOM_FD_PATH_H
#define ENGINE_ROOM_FD_PATH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FD_PATH_PREFIX "/proc/self/fd/"
#define FD_PATH_SIZE 32

/* Precondition: fd >= 0, and `path` has room for FD_PATH_SIZE bytes. */
static inline void format_fd_path(char *path, int64_t fd) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = (char)('0' + fd % 10);
    fd /= 10;
  } while (fd > 0 && count < sizeof(digits));
  size_t length = sizeof(FD_PATH_PREFIX) - 1;
  memcpy(path, FD_PATH_PREFIX, length);
  while (count > 0 && length < FD_PATH_SIZE - 1)
    path[length++] = digits[--count];
  path[length] = 0;
}

#endif
