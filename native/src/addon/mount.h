/* Mounts on the host: volumes, overlay directories. Those of a container are steps of its plan. */
#ifndef ENGINE_ROOM_MOUNT_H
#define ENGINE_ROOM_MOUNT_H

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mount_request {
  const char *source;
  const char *target;
  const char *type; /* empty for bind mounts and changes of flags */
  unsigned long flags;
  const char *data; /* options of the file system, may be empty */
};

int mount_filesystem(const struct mount_request *request, struct native_error *error);
int unmount_filesystem(const char *target, int flags, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
