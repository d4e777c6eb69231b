/* A copy of this whole process, memory and all, that belongs to nobody. */
#ifndef ENGINE_ROOM_TWIN_H
#define ENGINE_ROOM_TWIN_H

#include <stdbool.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* *is_twin: whether we are the copy. It is a daemon in a session of its own, and has this one thread only. */
int fork_twin(bool *is_twin, struct native_error *error);

/* Past Node and the C library, which would wait for threads that a copy does not have. */
void exit_now(int code);

#ifdef __cplusplus
}
#endif

#endif
