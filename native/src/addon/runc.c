/* Starts the helper with what plan.h promises it: 0-2 stdio, 3 plan, 4 records, 5 … extras; no environment. */
#include "runc.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "../plan.h"
#include "descriptor.h"
#include "sealed_memory.h"
#include "spawn.h"

/* One for the process: the sealed executable never changes. */
static int helper = -1;

static void close_fd(const int *fd) {
  if (*fd >= 0)
    close(*fd);
}
#define OWNED_FD __attribute__((cleanup(close_fd))) int

int load_runc(const void *executable, size_t size, struct native_error *error) {
  int sealed = -1;
  if (seal_memory("runc", executable, size, true, &sealed, error) < 0)
    return -1;
  if (helper >= 0)
    close(helper);
  helper = sealed;
  return 0;
}

static int make_record_pipe(int ends[2], struct native_error *error) {
  if (make_pipe(ends, error) < 0)
    return -1;
  // Only our end must never block; runc is to wait rather than lose a record.
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
    native_error_set(error, "fcntl", NULL);
    close(ends[0]);
    close(ends[1]);
    return -1;
  }
  return 0;
}

int spawn_runc(const struct runc_request *request, struct runc_process *process, struct native_error *error) {
  if (helper < 0)
    return native_error_set_number(error, ENOEXEC, "execveat", "runc");
  OWNED_FD plan = -1;
  if (seal_memory("plan", request->plan, request->plan_size, false, &plan, error) < 0)
    return -1;
  int pipe_ends[2];
  if (make_record_pipe(pipe_ends, error) < 0)
    return -1;
  OWNED_FD records = pipe_ends[0];
  OWNED_FD records_write = pipe_ends[1];

  char *const no_environment[] = {NULL};
  struct spawn_request spawn = {
      .executable = helper,
      .argv = request->argv,
      .env = no_environment,
      .cwd = request->cwd,
      .descriptor_count = PLAN_FD_EXTRA + request->extra_count,
  };
  memcpy(spawn.descriptors, request->stdio, sizeof(request->stdio));
  spawn.descriptors[PLAN_FD_PLAN] = plan;
  spawn.descriptors[PLAN_FD_RECORDS] = records_write;
  memcpy(spawn.descriptors + PLAN_FD_EXTRA, request->extra, request->extra_count * sizeof(int));
  if (spawn_child(&spawn, &process->pid, &process->pidfd, error) < 0)
    return -1;

  process->records = records;
  records = -1;  // NOLINT(clang-analyzer-deadcode.DeadStores): now the caller's, and not closed when we leave
  return 0;
}
