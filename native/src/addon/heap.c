/*
 * A heap that has been in use for a while has holes, between things that stay. Whoever is forked then and fills one with
 * some bytes has changed a page, of which he gets a copy. So we fill the holes ourselves: with blocks of which only the
 * first bytes are ever written to.
 */
#include "heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* More than this malloc asks the kernel for, one by one (M_MMAP_THRESHOLD). */
#define LARGEST_HOLE ((size_t)64 * 1024)
#define SMALLEST_HOLE (sizeof(void *))
/* What a copy needs lies behind the old end, where its parent must have the room that is to be populated (footprint.c). */
#define ROOM_BEHIND (1024 * 1024)

struct filling {
  struct filling *next;
};
static struct filling *fillings;

static void take_out_fillings(void) {
  while (fillings != NULL) {
    struct filling *filling = fillings;
    fillings = filling->next;
    free(filling);
  }
}

static void fill_holes_of(size_t size, uintptr_t end) {
  struct filling *filling;
  while ((filling = malloc(size)) != NULL && (uintptr_t)filling < end) {
    filling->next = fillings;
    fillings = filling;
  }
  free(filling);
}

void heap_settle(void) {
  take_out_fillings();
  malloc_trim(0);
  mallopt(M_TOP_PAD, ROOM_BEHIND);
  const uintptr_t end = (uintptr_t)sbrk(0);
  // Large steps where a rest hardly matters; it is filled in the next ones.
  for (size_t size = LARGEST_HOLE; size >= SMALLEST_HOLE; size -= size > 1024 ? size / 16 : 16)
    fill_holes_of(size, end);
}
