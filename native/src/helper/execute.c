/*
 * The interpreter of plans (plan.h; what the steps mean: libcontainer/plan/step.ts).
 *
 * It knows no container, only: guard, arguments, system call, record, and what to do about an error.
 * clone3(2), execve(2), pipe(7), prctl(2) PR_SET_NAME. Linux >= 5.6.
 *
 * SAFETY: everything here runs between clone and execve, too. There is no C library, so nothing allocates or locks.
 */
#include "execute.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "copy_tree.h"
#include "fd_path.h"
#include "plan_check.h"
#include "system_call.h"

enum { STAGE_PARENT = 0, STAGE_INIT = 1 };

struct execution {
  unsigned char *plan;
  uint64_t size;
  uint64_t data; /* where the data begins */
  uint32_t stage;
  uint32_t pid; /* as this process sees itself */
  long records; /* the record pipe */
  int64_t slots[PLAN_SLOTS];
};

struct outcome {
  int64_t result;
  int error; /* 0, or an errno */
};

static uint64_t monotonic_now(void) {
  struct timespec now = {0};
  // Not through the vDSO: it would take more code to find it there than the call costs.
  system_call(__NR_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0, 0, 0);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct outcome outcome_of(long result) {
  if (result < 0 && result >= -4095)
    return (struct outcome){.result = -1, .error = (int)-result};
  return (struct outcome){.result = result, .error = 0};
}

/* A record that nobody reads any more is lost (EPIPE); that must not stop a container which waits for its start. */
static void write_record(const struct execution *x, uint32_t index, uint64_t begin, struct outcome outcome) {
  const struct step_record record = {
      .stage = x->stage,
      .index = index,
      .begin_mono = begin,
      .end_mono = monotonic_now(),
      .result = outcome.result,
      .error = outcome.error,
      .pid = x->pid,
  };
  system_call(__NR_write, x->records, (long)&record, sizeof(record), 0, 0, 0);
}

static bool slot_is_filled(const struct execution *x, int64_t slot) {
  return x->slots[slot] != PLAN_SLOT_EMPTY;
}

static bool guard_lets_pass(const struct execution *x, const struct plan_step *step, int previous_error) {
  switch (step->guard_kind) {
    case PLAN_GUARD_UNLESS_FILLED:
      return !slot_is_filled(x, step->guard_value);
    case PLAN_GUARD_IF_FILLED:
      return slot_is_filled(x, step->guard_value);
    case PLAN_GUARD_IF_PREVIOUS_ERRNO:
      return previous_error != 0 && previous_error == step->guard_value;
    default:
      return true;
  }
}

/* Puts slots into the bytes that the step points to. False if one of them is empty. */
static bool apply_slot_patches(struct execution *x, const struct plan_step *step) {
  for (uint32_t i = 0; i < step->slot_patch_count; i++) {
    struct plan_slot_patch patch;
    memcpy(&patch, x->plan + step->slot_patch_offset + i * sizeof(patch), sizeof(patch));
    if (!slot_patch_is_valid(&patch, x->data, x->size) || !slot_is_filled(x, patch.slot))
      return false;
    const int32_t value = (int32_t)x->slots[patch.slot];
    memcpy(x->plan + patch.at, &value, sizeof(value));
  }
  return true;
}

/* open, write, close. One file of the kernel's takes its whole value in one write. */
static struct outcome write_file(struct execution *x, const struct plan_step *step) {
  const long path = (long)(x->plan + step->argument[0]);
  const long fd = system_call(__NR_openat, AT_FDCWD, path, step->number | O_CLOEXEC, 0644, 0, 0);
  if (fd < 0)
    return outcome_of(fd);
  const long written =
      system_call(__NR_write, fd, (long)(x->plan + step->argument[1]), (long)step->argument[2], 0, 0, 0);
  const long closed = system_call(__NR_close, fd, 0, 0, 0, 0, 0);
  if (written < 0)
    return outcome_of(written);
  if (closed < 0)
    return outcome_of(closed);
  return written == step->argument[2] ? outcome_of(written) : outcome_of(-EIO);
}

static struct outcome copy_between_slots(const struct execution *x, const struct plan_step *step) {
  const int64_t from = step->argument[0];
  const int64_t to = step->argument[1];
  if (!slot_is_filled(x, from) || !slot_is_filled(x, to))
    return outcome_of(-EBADF);
  return outcome_of(copy_tree((long)x->slots[from], (long)x->slots[to]));
}

/* Makes one system call. Sets *forked in the child of the step that forks init. */
static struct outcome make_system_call(struct execution *x, const struct plan_step *step, bool *forked) {
  long values[PLAN_ARGUMENTS];
  char fd_paths[PLAN_ARGUMENTS][FD_PATH_SIZE];
  int pair[2] = {-1, -1};
  int64_t pair_slots = -1;

  for (int i = 0; i < PLAN_ARGUMENTS; i++) {
    const int64_t argument = step->argument[i];
    switch (step->argument_kind[i]) {
      case PLAN_ARG_SLOT:
        if (!slot_is_filled(x, argument))
          return outcome_of(-EBADF);
        values[i] = (long)x->slots[argument];
        break;
      case PLAN_ARG_BYTES:
        values[i] = (long)(x->plan + argument);
        break;
      case PLAN_ARG_FD_PATH:
        if (!slot_is_filled(x, argument) || x->slots[argument] < 0)
          return outcome_of(-EBADF);
        format_fd_path(fd_paths[i], x->slots[argument]);
        values[i] = (long)fd_paths[i];
        break;
      case PLAN_ARG_SLOT_PAIR:
        pair_slots = argument;
        values[i] = (long)pair;
        break;
      default:
        values[i] = (long)argument;
    }
  }

  const long result = system_call(step->number, values[0], values[1], values[2], values[3], values[4], values[5]);
  if (step->flags & PLAN_FLAG_FORKS_INIT)
    *forked = result == 0;
  if (result >= 0 && pair_slots >= 0) {
    x->slots[pair_slots & 0xff] = pair[0];
    x->slots[pair_slots >> 8] = pair[1];
  }
  return outcome_of(result);
}

static struct outcome run_step(struct execution *x, const struct plan_step *step, bool *forked) {
  if (!apply_slot_patches(x, step))
    return outcome_of(-EBADF);
  struct outcome outcome = step->kind == PLAN_WRITE_FILE  ? write_file(x, step)
                           : step->kind == PLAN_COPY_TREE ? copy_between_slots(x, step)
                                                          : make_system_call(x, step, forked);
  if (outcome.error == 0 && step->expect != PLAN_NO_EXPECT && outcome.result != step->expect && !*forked)
    outcome.error = EPROTO;
  return outcome;
}

static bool error_is_ignored(const struct plan_step *step, int error) {
  for (int i = 0; i < PLAN_IGNORES; i++) {
    if (step->ignore[i] == error)
      return true;
  }
  return false;
}

/* From here on this process is the container's first: it has a copy of the slots, and its own pid. */
static void become_init(struct execution *x) {
  x->stage = STAGE_INIT;
  x->pid = (uint32_t)system_call(__NR_getpid, 0, 0, 0, 0, 0, 0);
  system_call(__NR_prctl, PR_SET_NAME, (long)"runc:[init]", 0, 0, 0, 0);
}

static int run_init(struct execution *x);

static int run_steps(struct execution *x, const struct plan_step *steps, uint32_t count) {
  int previous_error = 0;
  long init = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct plan_step *step = &steps[i];
    if (!guard_lets_pass(x, step, previous_error)) {
      previous_error = 0;
      continue;
    }
    bool forked = false;
    const uint64_t begin = monotonic_now();
    const struct outcome outcome = run_step(x, step, &forked);
    if (forked) {
      become_init(x);
      return run_init(x);
    }
    write_record(x, i, begin, outcome);
    previous_error = outcome.error;
    if (outcome.error == 0 && step->result_slot != PLAN_NO_SLOT)
      x->slots[step->result_slot] = outcome.result;
    if (outcome.error == 0 && (step->flags & PLAN_FLAG_FORKS_INIT))
      init = (long)outcome.result;
    if (outcome.error != 0 && !error_is_ignored(step, outcome.error)) {
      // Init waits for us at a pipe. That it dies does not hang on which descriptors it has closed: nobody has
      // waited for it yet, so the pid is still its own.
      if (init > 0)
        system_call(__NR_kill, init, SIGKILL, 0, 0, 0, 0);
      return EXIT_STEP_FAILED;
    }
  }
  return EXIT_ALL_STEPS_RAN;
}

static int run_init(struct execution *x) {
  const struct plan_header *header = (const struct plan_header *)(const void *)x->plan;
  return run_steps(x, (const struct plan_step *)(const void *)(x->plan + header->init_offset), header->init_count);
}

static void apply_pointer_patches(unsigned char *plan, const struct plan_header *header) {
  for (uint32_t i = 0; i < header->patch_count; i++) {
    struct plan_pointer_patch patch;
    memcpy(&patch, plan + header->patch_offset + i * sizeof(patch), sizeof(patch));
    const uint64_t pointer = (uint64_t)(uintptr_t)(plan + patch.target);
    memcpy(plan + patch.at, &pointer, sizeof(pointer));
  }
}

int execute_plan(unsigned char *plan, uint64_t size) {
  const struct plan_header *header = (const struct plan_header *)(const void *)plan;
  apply_pointer_patches(plan, header);
  struct execution x = {
      .plan = plan,
      .size = size,
      .data = plan_data_offset(header),
      .stage = STAGE_PARENT,
      .records = (long)header->record_fd,
      .pid = (uint32_t)system_call(__NR_getpid, 0, 0, 0, 0, 0, 0),
  };
  memcpy(x.slots, header->slots, sizeof(x.slots));
  return run_steps(&x, (const struct plan_step *)(const void *)(plan + header->parent_offset), header->parent_count);
}
