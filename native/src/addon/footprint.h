/*
 * Which pages a copy of this process changes in its life. The kernel copies a page when it is first written to, while
 * somebody waits: some two thousand times between a shim's claim and its end. Copies of one process change nearly
 * the same pages, so one tells at its end which they were, and those after it have them before anybody waits.
 *
 * Told in memory that all copies share. Whoever writes there can have the others populate what they would not need.
 */
#ifndef ENGINE_ROOM_FOOTPRINT_H
#define ENGINE_ROOM_FOOTPRINT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Before a fork: decides whether the copy is to tell. Where there is no memory for what it would, none does. */
void footprint_share(void);

/* In a copy that is not to tell. Before Linux 5.14 nothing happens. madvise(2) MADV_POPULATE_WRITE. */
void footprint_populate(void);

/* In a copy that has done its work and is to tell. proc_pid_pagemap(5) */
void footprint_leave(void);

/* The next copy is to tell; those after it go by what was told before until it has. Without this, who is the first. */
void footprint_ask(void);

/*
 * This process has moved all that it has in memory, so what was told is true no more; what it had before and needs no
 * longer goes, or each copy would have it as well (heap.h, program.h).
 */
void footprint_forget(void);

#ifdef __cplusplus
}
#endif

#endif
