/*
 * vfork(2) and then fork(2), so that the copy is a child of init and not of ours. The process in between shares our
 * memory until it is gone, and we wait for that: so what is copied is copied once. POSIX allows such a process next to
 * nothing; on Linux it is a clone(2) with CLONE_VM and CLONE_VFORK, and may fork; the copy has the same stack.
 *
 * Unlike in spawn.c the copy goes on as it is, so it must be fit to: the C library has hooks for its own locks, libuv
 * for its thread pool, and bind_spawn.cc renews the event loop. What no hook renews are V8's threads, which the copy
 * lacks: whoever forks has to run without them (`node --single-threaded --v8-pool-size=0`).
 */
#include "twin.h"

#include "footprint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * V8 has the kernel leave its memory out of a fork (MADV_DONTFORK), since hardly a child needs it. A twin does.
 * madvise(2), proc_pid_maps(5). What the kernel refuses (its own pages, such as the vDSO) is inherited anyway.
 */
static int include_all_memory(struct native_error *error) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL)
    return native_error_set(error, "open", "/proc/self/maps");
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, maps) > 0) {
    char *rest = NULL;
    const unsigned long begin = strtoul(line, &rest, 16);
    if (*rest != '-')
      continue;
    const unsigned long end = strtoul(rest + 1, NULL, 16);
    madvise((void *)begin, end - begin, MADV_DOFORK);
  }
  free(line);
  (void)fclose(maps);
  return 0;
}

int fork_twin(bool *is_twin, struct native_error *error) {
  *is_twin = false;
  if (include_all_memory(error) < 0)
    return -1;
  footprint_share();
  const pid_t middle = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork): it forks and is gone
  if (middle < 0)
    return native_error_set(error, "fork", NULL);
  if (middle == 0) {
    const pid_t twin = fork();  // NOLINT(clang-analyzer-unix.Vfork)
    if (twin != 0)
      _exit(twin < 0 ? errno : 0);
    setsid();
    footprint_populate();
    *is_twin = true;
    return 0;
  }
  int status = 0;
  while (waitpid(middle, &status, 0) < 0 && errno == EINTR)
    continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return 0;
  return native_error_set_number(error, WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN, "fork", NULL);
}

void exit_now(int code) {
  _exit(code);
}
