/*
 * Mutates plans and runs them against system calls that ask no kernel, under AddressSanitizer and UBSan.
 *
 * Usage: fuzz SEED COUNT < plan
 * Prints how many mutants were still plans; any bad access ends the program with the sanitizer's report.
 * Built and run by hostile-plan.kernel.test.ts, together with src/helper/{execute,copy_tree,plan_check}.c.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/helper/execute.h"
#include "../src/helper/plan_check.h"
#include "fuzz_kernel.h"

/* Values at which bounds checks go wrong. */
static uint64_t interesting(uint64_t size) {
  const uint64_t values[] = {0,          1,         31,
                             32,         0xff,      0x100,
                             size,       size - 1,  size - 8,
                             UINT32_MAX, INT32_MAX, 1u << 31,
                             UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN,
                             296,        297,       PLAN_SIZE_LIMIT};
  return values[next_random() % (sizeof(values) / sizeof(values[0]))];
}

static void mutate(unsigned char *plan, uint64_t size) {
  const uint64_t count = 1 + next_random() % 4;
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t width = (uint64_t)1 << (next_random() % 4);
    // Header and steps lie in front: hit them more often than the data.
    const uint64_t reach = next_random() % 3 == 0 ? size : size / 2;
    const uint64_t at = next_random() % (reach - 8) / width * width;
    const uint64_t value = next_random() % 2 == 0 ? interesting(size) : next_random();
    memcpy(plan + at, &value, width);
  }
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  seed_random(strtoull(argv[1], NULL, 10));
  const uint64_t count = strtoull(argv[2], NULL, 10);
  static unsigned char original[1 << 16];
  const uint64_t size = fread(original, 1, sizeof(original), stdin);
  if (!plan_is_valid(original, size))
    return 2;

  uint64_t valid = 0;
  for (uint64_t i = 0; i < count; i++) {
    // On the heap and of the exact size, so that one byte too far is seen.
    const uint64_t kept = next_random() % 16 == 0 ? next_random() % size : size;
    unsigned char *plan = malloc(kept == 0 ? 1 : kept);
    if (plan == NULL)
      return 2;
    memcpy(plan, original, kept);
    if (kept > 64)
      mutate(plan, kept);
    if (plan_is_valid(plan, kept)) {
      valid++;
      execute_plan(plan, kept);
    }
    free(plan);
  }
  printf("%" PRIu64 "\n", valid);
  return 0;
}
