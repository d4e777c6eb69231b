/* errno(3), strerrorname_np(3). */
#include "native_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int native_error_set_number(struct native_error *error, int number, const char *system_call, const char *path) {
  error->number = number;
  error->system_call = system_call;
  (void)snprintf(error->path, sizeof(error->path), "%s", path == NULL ? "" : path);
  return -1;
}

int native_error_set(struct native_error *error, const char *system_call, const char *path) {
  return native_error_set_number(error, errno, system_call, path);
}

const char *native_error_code(int number) {
  const char *name = strerrorname_np(number);
  return name == NULL ? "UNKNOWN" : name;
}
