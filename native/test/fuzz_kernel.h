/* A kernel that answers at random, for programs that fuzz the helper: nothing it does reaches the real one. */
#ifndef ENGINE_ROOM_FUZZ_KERNEL_H
#define ENGINE_ROOM_FUZZ_KERNEL_H

#include <linux/stat.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../src/helper/copy_tree.h"
#include "../src/helper/system_call.h"

static uint64_t random_state = 1;

static void seed_random(uint64_t seed) {
  random_state = seed | 1;
}

/* xorshift64*: the same mutants for the same seed, on every machine. */
static uint64_t next_random(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * 2685821657736338717u;
}

/*
 * Who asks. A plan may name any call and have it write anywhere, also into an argument that is on the helper's stack:
 * it may because whoever hands it over may make the call himself. What copy_tree.c asks for is the helper's own doing,
 * so its buffers must be as large as it says. Linked with --wrap=copy_tree.
 */
static bool helper_asks = false;

long __real_copy_tree(long from, long to);
long __wrap_copy_tree(long from, long to);

long __wrap_copy_tree(long from, long to) {
  helper_asks = true;
  const long copied = __real_copy_tree(from, to);
  helper_asks = false;
  return copied;
}

/* Zeros as often as not, so that names end, and lengths below 512. */
static void answer_at_random(unsigned char *bytes, size_t size) {
  for (size_t at = 0; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
    const uint64_t value = next_random() & next_random() & 0x00ffff00ffff01ffu;
    if (next_random() % 2 == 0)
      memcpy(bytes + at, &value, sizeof(value));
  }
}

/* Succeeds, fails, or hands out odd numbers, as a kernel might. */
long system_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)a, (void)d, (void)f;
  // What a folder holds, and what kind of thing that is.
  if (helper_asks && number == __NR_getdents64) {
    answer_at_random((unsigned char *)b, (size_t)c);
    if (next_random() % 2 == 0)
      return c;
  }
  if (helper_asks && number == __NR_statx)
    answer_at_random((unsigned char *)e, sizeof(struct statx));
  switch (next_random() % 8) {
    case 0:
      return -(long)(next_random() % 134);
    case 1:
      return (long)next_random();
    case 2:
      return 0;
    default:
      return (long)(next_random() % 1000);
  }
}

#endif
