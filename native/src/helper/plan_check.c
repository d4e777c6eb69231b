/*
 * Decides whether some bytes are a plan (plan.h).
 *
 * The plan comes from our own compiler, through a sealed memfd. It is checked all the same: helper processes run as
 * root, and a wrong offset should be a sentence, not a crash. What the steps *mean* is not judged here: who may hand
 * over a plan may make any system call.
 */
#include "plan_check.h"

static uint64_t end_of_table(uint32_t offset, uint32_t count, uint64_t entry_size) {
  return (uint64_t)offset + (uint64_t)count * entry_size;
}

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

uint64_t plan_data_offset(const struct plan_header *header) {
  uint64_t end = sizeof(struct plan_header);
  if (header->parent_count > 0)
    end = larger(end, end_of_table(header->parent_offset, header->parent_count, sizeof(struct plan_step)));
  if (header->init_count > 0)
    end = larger(end, end_of_table(header->init_offset, header->init_count, sizeof(struct plan_step)));
  if (header->patch_count > 0)
    end = larger(end, end_of_table(header->patch_offset, header->patch_count, sizeof(struct plan_pointer_patch)));
  return end;
}

static bool table_is_valid(uint32_t offset, uint32_t count, uint64_t entry_size, uint32_t alignment, uint64_t size) {
  if (count == 0)
    return true;
  return offset >= sizeof(struct plan_header) && offset % alignment == 0 &&
         end_of_table(offset, count, entry_size) <= size;
}

static bool is_slot(int64_t value) {
  return value >= 0 && value < PLAN_SLOTS;
}

/* `length` bytes from `offset` on lie in the data. */
static bool range_is_valid(int64_t offset, int64_t length, uint64_t data, uint64_t size) {
  if (offset < 0 || length < 0)
    return false;
  return (uint64_t)offset >= data && (uint64_t)offset <= size && (uint64_t)length <= size - (uint64_t)offset;
}

static bool string_is_valid(const unsigned char *plan, int64_t offset, uint64_t data, uint64_t size) {
  if (!range_is_valid(offset, 1, data, size))
    return false;
  for (uint64_t at = (uint64_t)offset; at < size; at++) {
    if (plan[at] == 0)
      return true;
  }
  return false;
}

static bool argument_is_valid(uint8_t kind, int64_t value, uint64_t data, uint64_t size) {
  switch (kind) {
    case PLAN_ARG_NUMBER:
      return true;
    case PLAN_ARG_SLOT:
    case PLAN_ARG_FD_PATH:
      return is_slot(value);
    case PLAN_ARG_BYTES:
      return range_is_valid(value, 0, data, size);
    case PLAN_ARG_SLOT_PAIR:
      return value >= 0 && (value & 0xff) < PLAN_SLOTS && (value >> 8) < PLAN_SLOTS;
    default:
      return false;
  }
}

bool slot_patch_is_valid(const struct plan_slot_patch *patch, uint64_t data, uint64_t size) {
  return patch->slot < PLAN_SLOTS && range_is_valid(patch->at, sizeof(uint32_t), data, size);
}

static bool slot_patches_are_valid(const unsigned char *plan, const struct plan_step *step, uint64_t data,
                                   uint64_t size) {
  if (step->slot_patch_count == 0)
    return true;
  const int64_t length = (int64_t)step->slot_patch_count * (int64_t)sizeof(struct plan_slot_patch);
  if (step->slot_patch_offset % sizeof(uint32_t) != 0 || !range_is_valid(step->slot_patch_offset, length, data, size))
    return false;
  const struct plan_slot_patch *patches =
      (const struct plan_slot_patch *)(const void *)(plan + step->slot_patch_offset);
  for (uint32_t i = 0; i < step->slot_patch_count; i++) {
    if (!slot_patch_is_valid(&patches[i], data, size))
      return false;
  }
  return true;
}

static bool guard_is_valid(const struct plan_step *step) {
  switch (step->guard_kind) {
    case PLAN_GUARD_NONE:
    case PLAN_GUARD_IF_PREVIOUS_ERRNO:
      return true;
    case PLAN_GUARD_UNLESS_FILLED:
    case PLAN_GUARD_IF_FILLED:
      return is_slot(step->guard_value);
    default:
      return false;
  }
}

static bool step_is_valid(const unsigned char *plan, const struct plan_step *step, uint64_t data, uint64_t size) {
  if (!guard_is_valid(step))
    return false;
  if (step->result_slot != PLAN_NO_SLOT && !is_slot(step->result_slot))
    return false;
  if (!slot_patches_are_valid(plan, step, data, size))
    return false;
  if (step->kind == PLAN_WRITE_FILE)
    return step->flags == 0 && string_is_valid(plan, step->argument[0], data, size) &&
           range_is_valid(step->argument[1], step->argument[2], data, size);
  if (step->kind == PLAN_COPY_TREE)
    return step->flags == 0 && is_slot(step->argument[0]) && is_slot(step->argument[1]);
  if (step->kind != PLAN_SYSCALL || (step->flags & ~PLAN_FLAG_FORKS_INIT) != 0)
    return false;
  for (int i = 0; i < PLAN_ARGUMENTS; i++) {
    if (!argument_is_valid(step->argument_kind[i], step->argument[i], data, size))
      return false;
  }
  return true;
}

bool plan_is_valid(const unsigned char *plan, uint64_t size) {
  if (size < sizeof(struct plan_header) || size > PLAN_SIZE_LIMIT)
    return false;
  const struct plan_header *header = (const struct plan_header *)(const void *)plan;
  if (header->magic != PLAN_MAGIC || header->version != PLAN_VERSION || header->size != size)
    return false;
  // Not a place that the descriptors before it have.
  if (header->record_fd < PLAN_FD_RECORDS || header->record_fd > INT32_MAX)
    return false;
  const uint64_t step_size = sizeof(struct plan_step);
  if (!table_is_valid(header->parent_offset, header->parent_count, step_size, 8, size) ||
      !table_is_valid(header->init_offset, header->init_count, step_size, 8, size) ||
      !table_is_valid(header->patch_offset, header->patch_count, sizeof(struct plan_pointer_patch), 4, size))
    return false;

  const uint64_t data = plan_data_offset(header);
  uint32_t forks = 0;
  const struct plan_step *steps = (const struct plan_step *)(const void *)(plan + header->parent_offset);
  for (uint32_t i = 0; i < header->parent_count; i++) {
    if (!step_is_valid(plan, &steps[i], data, size))
      return false;
    forks += steps[i].flags & PLAN_FLAG_FORKS_INIT;
  }
  if (forks > 1)
    return false;
  steps = (const struct plan_step *)(const void *)(plan + header->init_offset);
  for (uint32_t i = 0; i < header->init_count; i++) {
    if (!step_is_valid(plan, &steps[i], data, size) || steps[i].flags != 0)
      return false;
  }
  const struct plan_pointer_patch *patches =
      (const struct plan_pointer_patch *)(const void *)(plan + header->patch_offset);
  for (uint32_t i = 0; i < header->patch_count; i++) {
    if (!range_is_valid(patches[i].at, sizeof(uint64_t), data, size) ||
        !range_is_valid(patches[i].target, 0, data, size))
      return false;
  }
  return true;
}
