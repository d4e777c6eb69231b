/* socket(2), setns(2), network_namespaces(7), netlink(7). */
#include "network.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

struct job {
  const struct socket_request *request;
  int fd;
  int result;
  struct native_error *error;
};

static int make_socket(const struct socket_request *request, int *fd, struct native_error *error) {
  *fd = socket(request->domain, request->type | SOCK_CLOEXEC, request->protocol);
  if (*fd < 0)
    return native_error_set(error, "socket", NULL);
  if (request->domain == AF_NETLINK) {
    /* One transaction replaces all packet rules, and goes in one message. Where this may not be, many do not fit. */
    const int room = 8 * 1024 * 1024;
    (void)setsockopt(*fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  }
  if (request->address_length == 0 ||
      bind(*fd, (const struct sockaddr *)&request->address, request->address_length) == 0)
    return 0;
  native_error_set(error, "bind", NULL);
  close(*fd);
  *fd = -1;
  return -1;
}

static void *visit(void *argument) {
  struct job *job = (struct job *)argument;
  job->result = setns(job->request->namespace_fd, CLONE_NEWNET) < 0
                    ? native_error_set(job->error, "setns", NULL)
                    : make_socket(job->request, &job->fd, job->error);
  return NULL;
}

/* A thread that has been in another namespace is thrown away: nobody may find it there later. */
int open_socket(const struct socket_request *request, int *fd, struct native_error *error) {
  *fd = -1;
  if (request->namespace_fd < 0)
    return make_socket(request, fd, error);
  struct job job = {.request = request, .fd = -1, .result = -1, .error = error};
  pthread_t thread;
  const int failure = pthread_create(&thread, NULL, visit, &job);
  if (failure != 0)
    return native_error_set_number(error, failure, "pthread_create", NULL);
  pthread_join(thread, NULL);
  *fd = job.fd;
  return job.result;
}

/* The kernel has answered everything when send(2) returns, and makes the parts of a dump as they are read. */
int netlink_exchange(int socket, const void *messages, size_t length, unsigned char **answers, size_t *answer_length,
                     struct native_error *error) {
  enum { PART = 64 * 1024 };
  *answers = NULL;
  *answer_length = 0;
  ssize_t sent = 0;
  do {
    sent = send(socket, messages, length, 0);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0)
    return native_error_set(error, "send", NULL);

  unsigned char *gathered = NULL;
  size_t count = 0;
  for (;;) {
    unsigned char *larger = (unsigned char *)realloc(gathered, count + PART);
    if (larger == NULL) {
      free(gathered);
      return native_error_set_number(error, ENOMEM, "recv", NULL);
    }
    gathered = larger;
    const ssize_t part = recv(socket, gathered + count, PART, MSG_DONTWAIT);
    if (part < 0 && errno == EINTR)
      continue;
    if (part < 0 && errno != EAGAIN) {
      native_error_set(error, "recv", NULL);
      free(gathered);
      return -1;
    }
    if (part <= 0)
      break;
    count += (size_t)part;
  }
  *answers = gathered;
  *answer_length = count;
  return 0;
}
