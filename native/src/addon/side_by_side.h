/*
 * V8 asks for each 256 KiB of its heap at an address drawn at random. So each has page tables of its own, on three levels
 * of four; fork(2) makes them all anew, and the end of the copy takes them down: nearly a megabyte for a shim. What is
 * taken already cannot be had, and the kernel then places what is asked for below the last mapping, side by side.
 */
#ifndef ENGINE_ROOM_SIDE_BY_SIDE_H
#define ENGINE_ROOM_SIDE_BY_SIDE_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * From now on. Takes what is free of the addresses that V8 draws from, without memory for it: 64 TiB more of virtual size.
 * Where that is more than the process may have (RLIMIT_AS) or the machine has, all stays as it was.
 */
void map_side_by_side(void);

#ifdef __cplusplus
}
#endif

#endif
