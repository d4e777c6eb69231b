/* socketpair(2), recvmsg(2), sendmsg(2), cmsg(3), poll(2), unix(7). */
#include "socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// A thread is worth its start for so many sockets (about a millisecond of sending).
#define SOCKETS_A_SENDER 256
#define HELPERS_MAX 3

int make_socketpair(int ends[2], struct native_error *error) {
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return native_error_set(error, "socketpair", NULL);
  return 0;
}

static int64_t monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_readable(int socket, int timeout_ms, struct native_error *error) {
  const int64_t deadline = monotonic_ms() + timeout_ms;
  struct pollfd entry = {.fd = socket, .events = POLLIN};
  for (;;) {
    const int64_t left = deadline - monotonic_ms();
    const int ready = poll(&entry, 1, left > 0 ? (int)left : 0);
    if (ready > 0)
      return 0;
    if (ready == 0)
      return native_error_set_number(error, ETIMEDOUT, "recvmsg", NULL);
    if (errno != EINTR)
      return native_error_set(error, "poll", NULL);
  }
}

/* Keeps the first descriptor of the message in *fd and closes the others, which nobody asked for. */
static void take_descriptors(struct msghdr *message, int *fd) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
      continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int received = -1;
      memcpy(&received, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      if (*fd < 0)
        *fd = received;
      else
        close(received);
    }
  }
}

int receive_descriptor(int socket, int timeout_ms, int *fd, struct native_error *error) {
  *fd = -1;
  if (wait_readable(socket, timeout_ms, error) < 0)
    return -1;

  // runc and crun send the terminal's name along with it; nobody needs it, but it must not stay in the socket.
  char name[4096];
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {0};
  struct iovec data = {.iov_base = name, .iov_len = sizeof(name)};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  ssize_t count = 0;
  do {
    count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count < 0)
    return native_error_set(error, "recvmsg", NULL);

  take_descriptors(&message, fd);
  if (*fd < 0 && count > 0)
    return native_error_set_number(error, ENOMSG, "recvmsg", NULL);
  return 0;
}

int send_descriptor(const char *path, const void *bytes, size_t size, int fd, struct native_error *error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(path);
  if (length >= sizeof(address.sun_path))
    return native_error_set_number(error, ENAMETOOLONG, "connect", path);
  memcpy(address.sun_path, path, length);
  const int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (line < 0)
    return native_error_set(error, "socket", NULL);
  // A listener that takes nobody must not hold us up for long.
  const struct timeval patience = {.tv_sec = 5};
  setsockopt(line, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (connect(line, (const struct sockaddr *)&address, sizeof(address)) < 0) {
    native_error_set(error, "connect", path);
    close(line);
    return -1;
  }

  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec data = {.iov_base = (void *)bytes, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  struct cmsghdr *part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(part), &fd, sizeof(fd));
  const ssize_t sent = sendmsg(line, &message, MSG_NOSIGNAL);
  const int failed = sent < 0 ? errno : (size_t)sent < size ? EMSGSIZE : 0;
  close(line);
  return failed == 0 ? 0 : native_error_set_number(error, failed, "sendmsg", path);
}

struct share {
  const int *sockets;
  size_t count;
  const void *bytes;
  size_t size;
  uint32_t *sent;
  pthread_t thread;
};

static void *send_share(void *argument) {
  const struct share *const share = argument;
  for (size_t i = 0; i < share->count; i++) {
    ssize_t taken = 0;
    do {
      taken = send(share->sockets[i], share->bytes, share->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (taken < 0 && errno == EINTR);
    share->sent[i] = taken < 0 ? 0 : (uint32_t)taken;
  }
  return NULL;
}

void send_to_many(const int *sockets, size_t count, const void *bytes, size_t size, uint32_t *sent) {
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  const size_t others = processors > 1 ? (size_t)processors - 1 : 0;
  size_t helpers = count / SOCKETS_A_SENDER;
  if (helpers > HELPERS_MAX)
    helpers = HELPERS_MAX;
  if (helpers > others)
    helpers = others;

  // Each helper takes a share from the end; what is left, and whom no thread was to be had for, is ours.
  struct share shares[HELPERS_MAX];
  const size_t part = count / (helpers + 1);
  size_t left = count, started = 0;
  for (; started < helpers; started++) {
    struct share *share = &shares[started];
    *share = (struct share){sockets + left - part, part, bytes, size, sent + left - part, 0};
    if (pthread_create(&share->thread, NULL, send_share, share) != 0)
      break;
    left -= part;
  }
  struct share ours = {sockets, left, bytes, size, sent, 0};
  send_share(&ours);
  for (size_t i = 0; i < started; i++)
    pthread_join(shares[i].thread, NULL);
}

int peer_credentials(int fd, struct peer *peer, struct native_error *error) {
  struct ucred credentials = {0};
  socklen_t length = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
    return native_error_set(error, "getsockopt", NULL);
  *peer = (struct peer){.pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid};
  return 0;
}
