#ifndef ENGINE_ROOM_HEAP_H
#define ENGINE_ROOM_HEAP_H

/*
 * Of a process that is going to be copied: gives back to the kernel what malloc has free, and keeps malloc from using it
 * again, so that copies have all that is new to them in new pages, side by side. Done anew it begins with what is free
 * by then. mallopt(3), malloc_trim(3), sbrk(2).
 */
void heap_settle(void);

#endif
