/* Bytes that nobody can change any more, in a file without a name. */
#ifndef ENGINE_ROOM_SEALED_MEMORY_H
#define ENGINE_ROOM_SEALED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Puts the bytes into a memfd and seals it against every change. *fd is close-on-exec.
 *
 * Executing from such a file is why a container cannot overwrite its runtime through /proc/<pid>/exe
 * (CVE-2019-5736): there is no file on disk behind it, and the kernel refuses writes for ever.
 */
int seal_memory(const char *name, const void *bytes, size_t size, bool executable, int *fd, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
