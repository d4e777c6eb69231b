/* mmap(2), proc_pid_maps(5); V8: OS::GetRandomMmapAddr in src/base/platform/platform-posix.cc. */
#include "side_by_side.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* The C library's heap may grow below it, and above it are what the kernel and the dynamic linker have placed. */
#define DRAWN_BEGIN ((uintptr_t)1 << 32)
#define DRAWN_END ((uintptr_t)1 << 46)

static void take(uintptr_t begin, uintptr_t end) {
  if (begin < DRAWN_BEGIN)
    begin = DRAWN_BEGIN;
  if (end > DRAWN_END)
    end = DRAWN_END;
  if (begin < end)
    (void)mmap((void *)begin, end - begin, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
               -1, 0);
}

void map_side_by_side(void) {
  FILE *maps = fopen("/proc/self/maps", "re");
  uintptr_t free_from = DRAWN_BEGIN;
  char *line = NULL;
  size_t size = 0;
  while (maps != NULL && free_from < DRAWN_END && getline(&line, &size, maps) > 0) {
    char *rest = NULL;
    const uintptr_t begin = strtoul(line, &rest, 16);
    const uintptr_t end = *rest == '-' ? strtoul(rest + 1, NULL, 16) : 0;
    take(free_from, begin);
    if (end > free_from)
      free_from = end;
  }
  free(line);
  if (maps != NULL)
    (void)fclose(maps);
}
