/* What Node's sockets cannot do: descriptors as messages, and asking who is at the other end. */
#ifndef ENGINE_ROOM_SOCKET_H
#define ENGINE_ROOM_SOCKET_H

#include <stdint.h>
#include <sys/types.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct peer {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};

int make_socketpair(int ends[2], struct native_error *error);

/* Waits at most timeout_ms for a message with one descriptor; *fd is -1 if the other side has closed. */
int receive_descriptor(int socket, int timeout_ms, int *fd, struct native_error *error);

/* Connects to the listener at `path` and sends the bytes together with the descriptor, in one message. */
int send_descriptor(const char *path, const void *bytes, size_t size, int fd, struct native_error *error);

int peer_credentials(int fd, struct peer *peer, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
