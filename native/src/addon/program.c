/*
 * The kernel copies the page table of a private mapping of a file only where something in it is not as in the file any
 * more. So one byte of each is written to, the same that is there; through /proc/self/mem, for they are not for writing.
 * proc_pid_mem(5), proc_pid_smaps(5), madvise(2); Linux: vma_needs_copy() in mm/memory.c.
 */
#include "program.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Node has five, each library two or three; a life uses some three hundred ranges of them. */
#define MAPPINGS_MAX 64
#define RANGES_MAX 2048
#define PAGE_PRESENT (UINT64_C(1) << 63)

struct range {
  uintptr_t begin;
  uintptr_t end;
};

static struct range mappings[MAPPINGS_MAX];
static size_t mapping_count;
static struct range kept[RANGES_MAX];
static size_t kept_count;

/* "5563a000-5565d000 r-xp 0523d000 fe:00 260689   /usr/bin/node"; the path is all that has a slash. */
static bool read_mapping(const char *line, struct range *mapping, bool *is_of_program) {
  char *rest = NULL;
  const uintptr_t begin = strtoul(line, &rest, 16);
  if (rest == line || *rest != '-')
    return false;
  *mapping = (struct range){begin, strtoul(rest + 1, &rest, 16)};
  *is_of_program = strncmp(rest, " r-", 3) == 0 && rest[4] == 'p' && strchr(rest, '/') != NULL;
  return true;
}

/* Of what has been changed (by the dynamic linker, say) nothing may be dropped: it is in no file. */
static void find_mappings(void) {
  FILE *maps = fopen("/proc/self/smaps", "re");
  struct range mapping = {0};
  bool is_of_program = false;
  char *line = NULL;
  size_t size = 0;
  while (maps != NULL && mapping_count < MAPPINGS_MAX && getline(&line, &size, maps) > 0) {
    if (!read_mapping(line, &mapping, &is_of_program) && is_of_program && strncmp(line, "Anonymous:", 10) == 0 &&
        strtoul(line + 10, NULL, 10) == 0)
      mappings[mapping_count++] = mapping;
  }
  free(line);
  if (maps != NULL)
    (void)fclose(maps);
}

void program_drop(void) {
  if (mapping_count == 0)
    find_mappings();
  for (size_t i = 0; i < mapping_count; i++)
    madvise((void *)mappings[i].begin, mappings[i].end - mappings[i].begin, MADV_DONTNEED);
}

static void keep_page(uintptr_t page, size_t size) {
  if (kept_count > 0 && kept[kept_count - 1].end == page)
    kept[kept_count - 1].end += size;
  else if (kept_count < RANGES_MAX)
    kept[kept_count++] = (struct range){page, page + size};
}

void program_keep(void) {
  const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  kept_count = 0;
  for (size_t i = 0; pagemap >= 0 && i < mapping_count; i++) {
    for (uintptr_t page = mappings[i].begin; page < mappings[i].end; page += page_size) {
      uint64_t entry = 0;
      if (pread(pagemap, &entry, sizeof entry, (off_t)(page / page_size * sizeof entry)) == sizeof entry &&
          (entry & PAGE_PRESENT) != 0)
        keep_page(page, page_size);
    }
  }
  if (pagemap >= 0)
    close(pagemap);
}

/* Where the memory is closed (proc_mem.force_override=never) copies have faults as before. */
static void make_copied(void) {
  const int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  for (size_t i = 0; memory >= 0 && i < mapping_count; i++) {
    char byte;
    if (pread(memory, &byte, 1, (off_t)mappings[i].begin) == 1)
      (void)!pwrite(memory, &byte, 1, (off_t)mappings[i].begin);
  }
  if (memory >= 0)
    close(memory);
}

void program_settle(void) {
  if (kept_count == 0)
    return;
  program_drop();
  for (size_t i = 0; i < kept_count; i++)
    madvise((void *)kept[i].begin, kept[i].end - kept[i].begin, MADV_POPULATE_READ);
  make_copied();
}
