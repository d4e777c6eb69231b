/*
 * The binary form of a plan, written by apps/engine/src/libcontainer/plan/encode.ts and executed by helper/execute.c.
 * All numbers are little-endian; all offsets are bytes from the beginning of the plan.
 *
 *   header | parent steps | init steps | patches | data
 *
 * `data` is everything behind the last table. Whatever a step points to (bytes, slot patches, pointer patches' `at`
 * and `target`) lies there, so that no result of a system call can change the steps. Steps begin at multiples of 8,
 * patches (of both kinds) at multiples of 4.
 *
 * See step.ts for what each thing means; this file only fixes where it stands.
 */
#ifndef ENGINE_ROOM_PLAN_H
#define ENGINE_ROOM_PLAN_H

#include <stdint.h>

#define PLAN_MAGIC 0x4e4c5045u /* "EPLN" */
#define PLAN_VERSION 1u
#define PLAN_SLOTS 32
#define PLAN_ARGUMENTS 6
#define PLAN_IGNORES 4
#define PLAN_SLOT_EMPTY INT64_MIN

/* 296 bytes */
struct plan_header {
  uint32_t magic;
  uint32_t version;
  uint32_t size; /* of the whole plan */
  uint32_t parent_count, parent_offset;
  uint32_t init_count, init_offset;
  uint32_t patch_count, patch_offset; /* pointer patches, applied once after loading */
  uint32_t record_fd; /* where the record pipe is kept while the plan runs: PLAN_FD_RECORDS, or out of the way */
  int64_t slots[PLAN_SLOTS]; /* preset values, PLAN_SLOT_EMPTY where none */
};

enum plan_kind { PLAN_SYSCALL = 0, PLAN_WRITE_FILE = 1, PLAN_COPY_TREE = 2 };

enum plan_argument_kind {
  PLAN_ARG_NUMBER = 0,    /* value */
  PLAN_ARG_SLOT = 1,      /* value = slot */
  PLAN_ARG_BYTES = 2,     /* value = offset of the data */
  PLAN_ARG_FD_PATH = 3,   /* value = slot; "/proc/self/fd/<n>" */
  PLAN_ARG_SLOT_PAIR = 4, /* value = first slot | second slot << 8; int[2] result */
};

enum plan_guard_kind {
  PLAN_GUARD_NONE = 0,
  PLAN_GUARD_UNLESS_FILLED = 1, /* guard_value = slot */
  PLAN_GUARD_IF_FILLED = 2,     /* guard_value = slot */
  PLAN_GUARD_IF_PREVIOUS_ERRNO = 3,
};

#define PLAN_NO_SLOT 0xffu
#define PLAN_NO_EXPECT INT64_MIN
#define PLAN_FLAG_FORKS_INIT 1u
#define PLAN_SIZE_LIMIT (16u << 20)

/* 104 bytes */
struct plan_step {
  uint8_t kind;
  uint8_t flags;
  uint8_t guard_kind;
  uint8_t result_slot;
  int32_t guard_value;
  int32_t number;             /* system call; for PLAN_WRITE_FILE the open(2) flags */
  uint32_t slot_patch_offset; /* first plan_slot_patch of this step, in the data part */
  uint32_t slot_patch_count;
  uint8_t argument_kind[PLAN_ARGUMENTS];
  uint8_t padding[6];
  int64_t argument[PLAN_ARGUMENTS]; /* PLAN_WRITE_FILE: [0] offset of the path (ends with NUL), [1] data offset,
                                       [2] data length. argument_kind is not looked at.
                                       PLAN_COPY_TREE: [0] slot of the folder, [1] slot of where its contents go. */
  int64_t expect;                   /* PLAN_NO_EXPECT where any result will do */
  int32_t ignore[PLAN_IGNORES];     /* 0 where none */
};

/* Once after loading: the 64-bit word at `at` becomes the address of the byte at `target`. */
struct plan_pointer_patch {
  uint32_t at;
  uint32_t target;
};

/* Just before its step runs: the 32-bit word at `at` becomes the low half of slot `slot`. */
struct plan_slot_patch {
  uint32_t at;
  uint32_t slot;
};

/*
 * 48 bytes, written with one write(2) to the record pipe.
 * A call that failed: result -1, error its errno. A call that succeeded with another result than `expect`: the
 * result, error EPROTO. A step that uses an empty slot is not made: result -1, error EBADF.
 */
struct step_record {
  uint32_t stage; /* 0 parent, 1 init */
  uint32_t index;
  uint64_t begin_mono;
  uint64_t end_mono;
  int64_t result;
  int32_t error;
  uint32_t pid;
  uint64_t reserved;
};

/* What the helper inherits. */
enum plan_fd { PLAN_FD_PLAN = 3, PLAN_FD_RECORDS = 4, PLAN_FD_EXTRA = 5 };

_Static_assert(sizeof(struct plan_header) == 296, "as encode.ts writes it");
_Static_assert(sizeof(struct plan_step) == 104, "as encode.ts writes it");
_Static_assert(sizeof(struct plan_pointer_patch) == 8 && sizeof(struct plan_slot_patch) == 8, "as encode.ts writes it");
_Static_assert(sizeof(struct step_record) == 48, "as encode.ts reads it");

#endif
