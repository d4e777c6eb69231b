/* A kernel that answers at random, for programs that fuzz the helper: nothing it does reaches the real one. */
#ifndef ENGINE_ROOM_FUZZ_KERNEL_H
#define ENGINE_ROOM_FUZZ_KERNEL_H

#include <linux/stat.h>
#include <stdint.h>
#include <string.h>

#include "../src/plan.h"
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

#define BUFFER_LIMIT 4096
#define STACK_REACH ((uintptr_t)1 << 20)

/*
 * Zeros as often as not, so that names end, and lengths below 512. Only for a buffer of the helper's own, which is on
 * its stack: where a plan makes the same call, the real kernel would look at the address first.
 */
static void answer_at_random(unsigned char *bytes, size_t size) {
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  if ((uintptr_t)bytes < here || (uintptr_t)bytes - here > STACK_REACH || size > BUFFER_LIMIT)
    return;
  for (size_t at = 0; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
    const uint64_t value = next_random() & next_random() & 0x00ffff00ffff01ffu;
    if (next_random() % 2 == 0)
      memcpy(bytes + at, &value, sizeof(value));
  }
}

/* Succeeds, fails, or hands out odd numbers, as a kernel might. Writes a pipe's two descriptors. */
long system_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)a, (void)d, (void)f;
  if (number == __NR_write && c == sizeof(struct step_record)) {
    volatile unsigned char last = ((const unsigned char *)b)[sizeof(struct step_record) - 1];
    (void)last;
    return sizeof(struct step_record);
  }
  // What a folder holds, and what kind of thing that is.
  if (number == __NR_getdents64) {
    answer_at_random((unsigned char *)b, (size_t)c);
    if (next_random() % 2 == 0)
      return c;
  }
  if (number == __NR_statx)
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
