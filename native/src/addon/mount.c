/* mount(2), umount2(2). */
#include "mount.h"

#include <stddef.h>
#include <sys/mount.h>

static const char *null_if_empty(const char *text) {
  return text[0] == '\0' ? NULL : text;
}

int mount_filesystem(const struct mount_request *request, struct native_error *error) {
  if (mount(request->source, request->target, null_if_empty(request->type), request->flags,
            null_if_empty(request->data)) < 0)
    return native_error_set(error, "mount", request->target);
  return 0;
}

int unmount_filesystem(const char *target, int flags, struct native_error *error) {
  if (umount2(target, flags) < 0)
    return native_error_set(error, "umount2", target);
  return 0;
}
