/* pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), wait4(2), waitid(2), prctl(2). Linux >= 5.10 (PIDFD_NONBLOCK). */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int set_child_subreaper(struct native_error *error) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    return native_error_set(error, "prctl", NULL);
  return 0;
}

int open_pidfd(pid_t pid, int *pidfd, struct native_error *error) {
  // PIDFD_NONBLOCK is O_NONBLOCK; close-on-exec is always set.
  const long fd = syscall(SYS_pidfd_open, pid, O_NONBLOCK);
  if (fd < 0)
    return native_error_set(error, "pidfd_open", NULL);
  *pidfd = (int)fd;
  return 0;
}

int send_signal(int pidfd, int signal, struct native_error *error) {
  if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0)
    return native_error_set(error, "pidfd_send_signal", NULL);
  return 0;
}

int get_descriptor_of(int pidfd, int wanted, int *fd, struct native_error *error) {
  const long got = syscall(SYS_pidfd_getfd, pidfd, wanted, 0);
  if (got < 0)
    return native_error_set(error, "pidfd_getfd", NULL);
  *fd = (int)got;
  return 0;
}

int reap_child(pid_t pid, bool *exited, struct exit_status *status, struct native_error *error) {
  // Never -1 here: that would take children away from libuv.
  int word = 0;
  pid_t reaped = 0;
  do {
    reaped = wait4(pid, &word, WNOHANG, NULL);
  } while (reaped < 0 && errno == EINTR);
  if (reaped < 0)
    return native_error_set(error, "wait4", NULL);
  *exited = reaped == pid;
  if (*exited) {
    const int signal = WIFSIGNALED(word) ? WTERMSIG(word) : 0;
    *status =
        (struct exit_status){.pid = pid, .code = signal != 0 ? 128 + signal : WEXITSTATUS(word), .signal = signal};
  }
  return 0;
}

int peek_exited_child(pid_t *pid, struct native_error *error) {
  siginfo_t info = {0};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno != ECHILD)
    return native_error_set(error, "waitid", NULL);
  *pid = info.si_pid;
  return 0;
}
