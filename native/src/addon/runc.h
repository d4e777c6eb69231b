/* One run of the helper: plan in, records out. */
#ifndef ENGINE_ROOM_RUNC_H
#define ENGINE_ROOM_RUNC_H

#include <stddef.h>
#include <sys/types.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RUNC_EXTRA_MAX 48

struct runc_request {
  const void *plan;
  size_t plan_size;
  int stdio[3];
  int extra[RUNC_EXTRA_MAX]; /* become 5, 6, … */
  size_t extra_count;
  char *const *argv;
  const char *cwd;
};

struct runc_process {
  pid_t pid;
  int pidfd;
  int records; /* read end, non-blocking */
};

/* Keeps a sealed copy of the helper for every spawn_runc. */
int load_runc(const void *executable, size_t size, struct native_error *error);

int spawn_runc(const struct runc_request *request, struct runc_process *process, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
