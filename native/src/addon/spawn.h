/* New processes without a copy of this one's memory. */
#ifndef ENGINE_ROOM_SPAWN_H
#define ENGINE_ROOM_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 0, 1, 2, and as many as the plan has slots. */
#define SPAWN_DESCRIPTORS_MAX 56

struct spawn_request {
  int executable;   /* a descriptor to execute; or -1, then … */
  const char *file; /* … this path */
  char *const *argv;
  char *const *env;
  const char *cwd;
  int descriptors[SPAWN_DESCRIPTORS_MAX]; /* become 0, 1, 2, … of the new process; it gets no others */
  size_t descriptor_count;
};

/* Starts a child. *pidfd is close-on-exec. When this returns, the new program runs. */
int spawn_child(const struct spawn_request *request, pid_t *pid, int *pidfd, struct native_error *error);

/* Starts a process that is nobody's child, in a session of its own. */
int spawn_detached(const struct spawn_request *request, pid_t *pid, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
