/*
 * The program and its libraries in the memory of a process that is going to be copied. fork(2) leaves out what can be read
 * from a file again, and a copy comes by it with a fault for every sixteen pages: three hundred times in the life of a
 * shim. What its parent has mapped it can have from its birth; but that should be what it will need, and no more.
 */
#ifndef ENGINE_ROOM_PROGRAM_H
#define ENGINE_ROOM_PROGRAM_H

#ifdef __cplusplus
extern "C" {
#endif

/* What has been used so far (to start, mostly) is mapped no more; what is used again comes back by itself. */
void program_drop(void);

/* What has been used since is what copies will need. proc_pid_pagemap(5) */
void program_keep(void);

/* This is mapped, and only this, and copies inherit it. Nothing happens where nothing was kept. */
void program_settle(void);

#ifdef __cplusplus
}
#endif

#endif
