/* What Node cannot do to a file: extended attributes, device nodes, and where its disk puts folders. */
#ifndef ENGINE_ROOM_FILE_H
#define ENGINE_ROOM_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* xattr(7) allows no more for one value, and no more for all names together. */
#define ATTRIBUTE_MAX 65536

/* None of them follows a link at the end of the path. The readers answer the length, or -1. */
ssize_t list_attributes(const char *path, char *names, size_t size, struct native_error *error);
ssize_t get_attribute(const char *path, const char *name, void *value, size_t size, struct native_error *error);
int set_attribute(const char *path, const char *name, const void *value, size_t size, struct native_error *error);

int make_node(const char *path, mode_t mode, unsigned int major_number, unsigned int minor_number,
              struct native_error *error);

/*
 * "chattr +T": what is in this folder is not related, so each folder made in it goes to another part of the disk.
 * 1, or 0 where the file system does not take such a hint, or -1 without the folder.
 */
int spread_folders(const char *path, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
