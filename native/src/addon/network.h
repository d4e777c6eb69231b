/* Sockets of other network namespaces, and netlink. What the messages say is written in TypeScript. */
#ifndef ENGINE_ROOM_NETWORK_H
#define ENGINE_ROOM_NETWORK_H

#include <stddef.h>
#include <sys/socket.h>

#include "native_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct socket_request {
  int namespace_fd; /* of /proc/<pid>/ns/net; -1 for our own */
  int domain;
  int type;
  int protocol;
  struct sockaddr_storage address; /* bound to, when its length is not 0 */
  socklen_t address_length;
};

/* A socket belongs for good to the namespace that it is made in; who holds its descriptor need not be there. */
int open_socket(const struct socket_request *request, int *fd, struct native_error *error);

/* Sends the messages in one datagram and gathers all answers into malloc'ed bytes. */
int netlink_exchange(int socket, const void *messages, size_t length, unsigned char **answers, size_t *answer_length,
                     struct native_error *error);

#ifdef __cplusplus
}
#endif

#endif
