/* Pipes, FIFOs, files and terminals. Every descriptor that comes out of here is close-on-exec. */
#ifndef ENGINE_ROOM_DESCRIPTOR_H
#define ENGINE_ROOM_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

int close_descriptor(int fd, struct native_error *error);
int make_pipe(int ends[2], struct native_error *error);

/* A counter that the kernel adds to: what cgroup.event_control of version 1 wants. */
int make_eventfd(int *fd, struct native_error *error);

/* A FIFO that is already there is fine; anything else is EEXIST. */
int make_fifo(const char *path, mode_t mode, struct native_error *error);

int open_file(const char *path, int flags, mode_t mode, int *fd, struct native_error *error);

/*
 * Moves up to `limit` bytes from a pipe to `to`, at *offset (or, when NULL, to where `to` stands).
 * *moved is 0 at the end of the file; *would_block says that nothing is there yet.
 */
int splice_from_pipe(int from, int to, const int64_t *offset, size_t limit, int64_t *moved, bool *would_block,
                     struct native_error *error);

/* O_NONBLOCK belongs to the open file description: whoever shares it sees it, too. */
int set_non_blocking(int fd, struct native_error *error);

int set_window_size(int fd, unsigned short rows, unsigned short columns, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
