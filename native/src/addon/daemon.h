/* A process that is nobody's child: dockerd, containerd, a shim. */
#ifndef ENGINE_ROOM_DAEMON_H
#define ENGINE_ROOM_DAEMON_H

#include <stddef.h>
#include <sys/types.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAEMON_EXTRA_MAX 32

struct daemon_request {
  const char *file;
  char *const *argv;
  char *const *env;
  const char *cwd;
  const char *log;             /* gets stdout and stderr appended; NULL: /dev/null */
  int extra[DAEMON_EXTRA_MAX]; /* become 3, 4, … */
  size_t extra_count;
};

int spawn_daemon(const struct daemon_request *request, pid_t *pid, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
