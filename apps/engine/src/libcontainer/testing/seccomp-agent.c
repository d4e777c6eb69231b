/*
 * A seccomp agent for tests: takes listeners at the socket argv[1], prints what comes with each, and answers every call
 * that it is asked about: mkdir with ENOMEDIUM, all others may go on.
 * seccomp_unotify(2), recvmsg(2).
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int take_listener(int server) {
  const int line = accept(server, NULL, NULL);
  static char words[65536];
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  struct iovec data = {.iov_base = words, .iov_len = sizeof(words) - 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  const ssize_t count = recvmsg(line, &message, 0);
  close(line);
  struct cmsghdr *part = CMSG_FIRSTHDR(&message);
  if (count < 0 || part == NULL || part->cmsg_type != SCM_RIGHTS)
    return -1;
  words[count] = 0;
  puts(words);
  fflush(stdout);
  int listener = -1;
  memcpy(&listener, CMSG_DATA(part), sizeof(int));
  return listener;
}

static int answer(int listener) {
  struct seccomp_notif asked;
  memset(&asked, 0, sizeof(asked));
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
    return errno == ENOENT || errno == EINTR ? 0 : -1;
  struct seccomp_notif_resp reply = {.id = asked.id};
  int refused = asked.data.nr == SYS_mkdirat;
#ifdef SYS_mkdir
  refused = refused || asked.data.nr == SYS_mkdir;
#endif
  if (refused)
    reply.error = -ENOMEDIUM;
  else
    reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) < 0 && errno != ENOENT ? -1 : 0;
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (argc < 2)
    return 2;
  strncpy(address.sun_path, argv[1], sizeof(address.sun_path) - 1);
  if (bind(server, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(server, 8) < 0)
    return 1;
  puts("ready");
  fflush(stdout);
  struct pollfd entries[64] = {{.fd = server, .events = POLLIN}};
  nfds_t count = 1;
  while (poll(entries, count, -1) > 0) {
    for (nfds_t i = 1; i < count; i++) {
      const int over = (entries[i].revents & POLLHUP) || ((entries[i].revents & POLLIN) && answer(entries[i].fd) < 0);
      if (over) {
        close(entries[i].fd);
        entries[i--] = entries[--count];
      }
    }
    if ((entries[0].revents & POLLIN) && count < 64) {
      const int listener = take_listener(server);
      if (listener >= 0)
        entries[count++] = (struct pollfd){.fd = listener, .events = POLLIN};
    }
  }
  return 1;
}
