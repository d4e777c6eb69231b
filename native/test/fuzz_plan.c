/*
 * The same as fuzz.c, but libFuzzer chooses the bytes, by the branches that they reach.
 * https://llvm.org/docs/LibFuzzer.html. Built and run by bench/fuzz-plan.mjs, with src/helper/{execute,copy_tree,plan_check}.c.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../src/helper/execute.h"
#include "../src/helper/plan_check.h"
#include "fuzz_kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // On the heap and of the exact size, so that one byte too far is seen; and the helper may write into it.
  unsigned char *plan = malloc(size == 0 ? 1 : size);
  if (plan == NULL)
    return 0;
  memcpy(plan, data, size);
  // The same answers for the same bytes.
  seed_random(size);
  if (plan_is_valid(plan, size))
    execute_plan(plan, size);
  free(plan);
  return 0;
}
