/*
 * clone(2) with CLONE_VM | CLONE_VFORK, as posix_spawn(3) does it: the child borrows our memory, on a stack of its
 * own, while this thread stands still; then execveat(2). fork(2) would copy Node's page tables, and what runs in its
 * child would wait for locks that other threads of Node hold.
 *
 * Linux >= 5.11 (close_range(2) with CLOSE_RANGE_CLOEXEC).
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)64 << 10)
#define GUARD_SIZE ((size_t)64 << 10) /* a page of any size that Linux has */

/* Above every number that a child is handed, so that no dup2 hits a descriptor that is still to be moved. */
#define FIRST_PARKED 100

struct spawn {
  const struct spawn_request *request;
  char *grandchild_stack; /* NULL for an ordinary child */
  pid_t grandchild;
  /* The child's last words, in the memory that we share. */
  int failed_errno;
  const char *failed_call;
  const char *failed_path;
};

static void block_all_signals(uint64_t *previous) {
  // Past the C library, which keeps two signals for itself: while memory is shared, no handler may run at all.
  const uint64_t all = UINT64_MAX;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, previous, sizeof(all));
}

static void restore_signals(const uint64_t *previous) {
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, previous, NULL, sizeof(*previous));
}

static char *map_stack(void) {
  char *stack =
      mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED)
    return NULL;
  if (mprotect(stack, GUARD_SIZE, PROT_NONE) < 0) {
    munmap(stack, GUARD_SIZE + STACK_SIZE);
    return NULL;
  }
  return stack;
}

static void unmap_stack(char *stack) {
  if (stack != NULL)
    munmap(stack, GUARD_SIZE + STACK_SIZE);
}

static void reap(pid_t pid) {
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    continue;
}

/* -------------------------------------------------------------------------------------------------------------------
 * SAFETY: the functions from here to run_middle_child run in the child, in our memory. System calls only: no malloc,
 * no stdio, no locks, no return into JavaScript's world.
 */

static _Noreturn void give_up(struct spawn *spawn, const char *call, const char *path) {
  spawn->failed_errno = errno;
  spawn->failed_call = call;
  spawn->failed_path = path;
  _exit(127);
}

/* Ignored signals would stay ignored in the new program: Node ignores SIGPIPE. */
static void reset_signal_dispositions(void) {
  const struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++)
    sigaction(number, &standard, NULL);  // EINVAL for SIGKILL, SIGSTOP and the C library's two
}

/*
 * libuv marks 0, 1 and 2 close-on-exec, and dup2(0, 0) does not clear that; a wanted number may be in use by another
 * wanted descriptor. So all move up first, then down to their places.
 */
static void arrange_descriptors(struct spawn *spawn, int *executable) {
  const struct spawn_request *request = spawn->request;
  int parked[SPAWN_DESCRIPTORS_MAX];
  const int count = (int)request->descriptor_count;
  for (int i = 0; i < count; i++) {
    parked[i] = fcntl(request->descriptors[i], F_DUPFD_CLOEXEC, FIRST_PARKED);
    if (parked[i] < 0)
      give_up(spawn, "fcntl", NULL);
  }
  if (request->executable >= 0) {
    *executable = fcntl(request->executable, F_DUPFD_CLOEXEC, FIRST_PARKED);
    if (*executable < 0)
      give_up(spawn, "fcntl", NULL);
  }
  for (int i = 0; i < count; i++) {
    if (dup2(parked[i], i) < 0)
      give_up(spawn, "dup2", NULL);
  }
  // Close-on-exec instead of closed: the executable is needed for one call more.
  if (syscall(SYS_close_range, (unsigned)count, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
    give_up(spawn, "close_range", NULL);
}

static _Noreturn void become_program(struct spawn *spawn) {
  const struct spawn_request *request = spawn->request;
  int executable = -1;
  reset_signal_dispositions();
  arrange_descriptors(spawn, &executable);
  if (chdir(request->cwd) < 0)
    give_up(spawn, "chdir", request->cwd);
  const uint64_t none = 0;
  restore_signals(&none);
  if (executable >= 0) {
    syscall(SYS_execveat, executable, "", request->argv, request->env, AT_EMPTY_PATH);
    give_up(spawn, "execveat", NULL);
  }
  execve(request->file, request->argv, request->env);
  give_up(spawn, "execve", request->file);
}

static int run_child(void *argument) {
  become_program(argument);
}

static int run_grandchild(void *argument) {
  if (setsid() < 0)
    give_up(argument, "setsid", NULL);
  become_program(argument);
}

/* The child between us and a daemon. It dies at once, and so the daemon is handed to init (or a subreaper). */
static int run_middle_child(void *argument) {
  struct spawn *spawn = argument;
  spawn->grandchild =
      clone(run_grandchild, spawn->grandchild_stack + GUARD_SIZE + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, spawn);
  if (spawn->grandchild < 0)
    give_up(spawn, "clone", NULL);
  if (spawn->failed_call != NULL)
    reap(spawn->grandchild);
  _exit(0);
}

/* ------------------------------------------------------------------------------------------------------------------ */

/* The error that the child left in our memory. */
static int failure_of_child(const struct spawn *spawn, struct native_error *error) {
  return native_error_set_number(error, spawn->failed_errno, spawn->failed_call, spawn->failed_path);
}

int spawn_child(const struct spawn_request *request, pid_t *pid, int *pidfd, struct native_error *error) {
  char *stack = map_stack();
  if (stack == NULL)
    return native_error_set(error, "mmap", NULL);
  struct spawn spawn = {.request = request};

  uint64_t mask = 0;
  block_all_signals(&mask);
  *pidfd = -1;
  *pid =
      clone(run_child, stack + GUARD_SIZE + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &spawn, pidfd);
  const int clone_errno = errno;
  restore_signals(&mask);
  unmap_stack(stack);

  if (*pid < 0)
    return native_error_set_number(error, clone_errno, "clone", NULL);
  if (spawn.failed_call != NULL) {
    reap(*pid);
    close(*pidfd);
    return failure_of_child(&spawn, error);
  }
  return 0;
}

int spawn_detached(const struct spawn_request *request, pid_t *pid, struct native_error *error) {
  char *stack = map_stack();
  char *grandchild_stack = map_stack();
  if (stack == NULL || grandchild_stack == NULL) {
    native_error_set(error, "mmap", NULL);
    unmap_stack(stack);
    unmap_stack(grandchild_stack);
    return -1;
  }
  struct spawn spawn = {.request = request, .grandchild_stack = grandchild_stack, .grandchild = -1};

  uint64_t mask = 0;
  block_all_signals(&mask);
  const pid_t middle =
      clone(run_middle_child, stack + GUARD_SIZE + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, &spawn);
  const int clone_errno = errno;
  restore_signals(&mask);
  unmap_stack(stack);
  unmap_stack(grandchild_stack);

  if (middle < 0)
    return native_error_set_number(error, clone_errno, "clone", NULL);
  reap(middle);
  if (spawn.failed_call != NULL)
    return failure_of_child(&spawn, error);
  *pid = spawn.grandchild;
  return 0;
}
