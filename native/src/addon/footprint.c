#include "footprint.h"

#include "heap.h"
#include "program.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* A shim has some four hundred ranges, of two thousand pages. One that had far more to do is no example. */
#define RANGES_MAX 2048
#define PAGES_MAX 4096

/* proc_pid_pagemap(5) */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_OF_FILE (UINT64_C(1) << 61)
#define PAGE_MAPPED_ONCE (UINT64_C(1) << 56)
#define ENTRIES_AT_ONCE 512

struct range {
  uintptr_t begin;
  size_t size;
};

struct footprint {
  size_t count;
  size_t pages;
  struct range ranges[RANGES_MAX];
};

/*
 * Written by whoever tells and read by whoever is born, without a lock: half of one and half of another costs time and
 * memory, and nothing else.
 */
static struct {
  /* How often everything has moved. */
  atomic_uint generation;
  atomic_bool is_known;
  atomic_bool is_asked_anew;
  struct footprint told;
} *shared;

/* Of a copy: whether it is to tell, and of what. */
static bool is_example;
static unsigned generation_of_copy;

void footprint_share(void) {
  if (shared == NULL) {
    void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return;
    shared = memory;
  }
  generation_of_copy = atomic_load(&shared->generation);
  is_example = atomic_exchange(&shared->is_asked_anew, false) || !atomic_load(&shared->is_known);
}

void footprint_populate(void) {
  if (shared == NULL || is_example)
    return;
  const struct footprint *told = &shared->told;
  for (size_t i = 0; i < told->count && i < RANGES_MAX; i++)
    // What only the one who told had mapped is refused.
    madvise((void *)told->ranges[i].begin, told->ranges[i].size, MADV_POPULATE_WRITE);
}

void footprint_ask(void) {
  if (shared != NULL)
    atomic_store(&shared->is_asked_anew, true);
}

void footprint_forget(void) {
  heap_settle();
  program_settle();
  if (shared == NULL)
    return;
  atomic_fetch_add(&shared->generation, 1);
  atomic_store(&shared->is_known, false);
}

static bool add_page(struct footprint *to, uintptr_t page, size_t size) {
  struct range *last = to->count > 0 ? &to->ranges[to->count - 1] : NULL;
  if (last != NULL && last->begin + last->size == page) {
    last->size += size;
  } else {
    if (to->count == RANGES_MAX)
      return false;
    to->ranges[to->count++] = (struct range){page, size};
  }
  return ++to->pages <= PAGES_MAX;
}

/* A page that a fork has shared and nobody has written to is mapped more than once. */
static bool add_changed_pages(struct footprint *to, int pagemap, uintptr_t begin, uintptr_t end) {
  static uint64_t entries[ENTRIES_AT_ONCE];
  const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
  while (begin < end) {
    size_t wanted = (end - begin) / page_size;
    if (wanted > ENTRIES_AT_ONCE)
      wanted = ENTRIES_AT_ONCE;
    const ssize_t got = pread(pagemap, entries, wanted * sizeof *entries, (off_t)(begin / page_size * sizeof *entries));
    if (got < (ssize_t)sizeof *entries)
      return false;
    for (size_t i = 0; i < (size_t)got / sizeof *entries; i++, begin += page_size) {
      const uint64_t about = entries[i] & (PAGE_PRESENT | PAGE_OF_FILE | PAGE_MAPPED_ONCE);
      if (about == (PAGE_PRESENT | PAGE_MAPPED_ONCE) && !add_page(to, begin, page_size))
        return false;
    }
  }
  return true;
}

static bool add_private_memory(struct footprint *to, FILE *maps, int pagemap) {
  char *line = NULL;
  size_t size = 0;
  bool is_complete = true;
  while (is_complete && getline(&line, &size, maps) > 0) {
    char *rest = NULL;
    const uintptr_t begin = strtoul(line, &rest, 16);
    const uintptr_t end = *rest == '-' ? strtoul(rest + 1, &rest, 16) : 0;
    // " rw-p", and " rwxp" where V8 has code.
    if (end > begin && rest[1] == 'r' && rest[2] == 'w' && rest[4] == 'p')
      is_complete = add_changed_pages(to, pagemap, begin, end);
  }
  free(line);
  return is_complete;
}

static bool measure(struct footprint *to) {
  FILE *maps = fopen("/proc/self/maps", "re");
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const bool is_complete = maps != NULL && pagemap >= 0 && add_private_memory(to, maps, pagemap);
  if (maps != NULL)
    (void)fclose(maps);
  if (pagemap >= 0)
    close(pagemap);
  return is_complete;
}

void footprint_leave(void) {
  static struct footprint ours;
  if (shared == NULL || !is_example || generation_of_copy != atomic_load(&shared->generation) || !measure(&ours))
    return;
  shared->told = ours;
  atomic_store(&shared->is_known, true);
}
