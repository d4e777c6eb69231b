/* Watching, signalling and reaping processes by pidfd. */
#ifndef ENGINE_ROOM_PROCESS_H
#define ENGINE_ROOM_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct exit_status {
  pid_t pid;
  int code;   /* the exit code, or 128 + signal */
  int signal; /* 0 if the process exited by itself */
};

/* Orphans below this process become its children. */
int set_child_subreaper(struct native_error *error);

/* Close-on-exec, non-blocking. */
int open_pidfd(pid_t pid, int *pidfd, struct native_error *error);

int send_signal(int pidfd, int signal, struct native_error *error);

/* The descriptor that another process has under the number `wanted`. */
int get_descriptor_of(int pidfd, int wanted, int *fd, struct native_error *error);

/* Reaps one child if it has exited; *exited says whether. */
int reap_child(pid_t pid, bool *exited, struct exit_status *status, struct native_error *error);

/* Any child that has exited and is not reaped yet; *pid is 0 if there is none. */
int peek_exited_child(pid_t *pid, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
