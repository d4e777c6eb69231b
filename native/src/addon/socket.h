/* What Node's sockets cannot do: descriptors as messages, one message to many, and asking who is at the other end. */
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

/*
 * Sends the same bytes to each socket, as much as it takes at once; sent[i] is how much that was, 0 also where it failed:
 * who then writes the rest meets the error.
 */
void send_to_many(const int *sockets, size_t count, const void *bytes, size_t size, uint32_t *sent);

int peer_credentials(int fd, struct peer *peer, struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
