/*
 * Many WebSocket viewers in one cheap process, so that the bench measures the server: connects, upgrades (RFC 6455),
 * says its first word, then reads and throws away whatever comes, and says its next word each 250 ms, as a page does.
 *
 *   drain PORT PATH COUNT FIRST EACH
 *
 * Prints "ready" when all are connected; on SIGTERM how many are left and how many bytes came.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TURNS 25

static volatile sig_atomic_t stopped;
static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A short masked text frame; the mask is zero, so the text stands as it is. */
static int say(int fd, const char *text)
{
	char frame[6 + 125] = { (char)0x81 };
	size_t length = strlen(text);
	if (length == 0 || length > 125)
		return 0;
	frame[1] = (char)(0x80 | length);
	memcpy(frame + 6, text, length);
	return send(fd, frame, 6 + length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
}

static int connect_one(int port, const char *path)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	char request[512], answer[2048];
	size_t got = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		die("connect");
	int length = snprintf(request, sizeof request,
			      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\n"
			      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
			      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
			      "Sec-WebSocket-Protocol: engine-room.v1\r\n"
			      /* As every browser does; what comes is thrown away as it is. */
			      "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
			      path, port);
	if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
		die("send");
	/* Byte by byte, so that nothing after the head is taken. */
	while (got < sizeof answer - 1 && recv(fd, answer + got, 1, 0) == 1) {
		answer[++got] = 0;
		if (got >= 4 && memcmp(answer + got - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	if (strstr(answer, " 101 ") == NULL) {
		fprintf(stderr, "drain: %.*s\n", 80, answer);
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	int port = atoi(argv[1]), count = atoi(argv[3]), left = count;
	int *fds = calloc((size_t)count, sizeof *fds);
	struct rlimit files = { (rlim_t)count + 64, (rlim_t)count + 64 };
	/* No two crowds speak at the same instant: a turn every 10 ms, and each has one in TURNS. */
	struct itimerspec each = { { 0, 10000000 }, { 0, 10000000 } };
	int turn = 0;
	static char waste[1 << 20];
	unsigned long long bytes = 0;
	int poller = epoll_create1(EPOLL_CLOEXEC);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("setrlimit");
	signal(SIGTERM, stop);
	timerfd_settime(timer, 0, &each, NULL);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = timer };
	epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
	for (int i = 0; i < count; i++) {
		fds[i] = connect_one(port, argv[2]);
		say(fds[i], argv[4]);
		event.data.fd = fds[i];
		epoll_ctl(poller, EPOLL_CTL_ADD, fds[i], &event);
	}
	puts("ready");
	fflush(stdout);
	while (!stopped) {
		struct epoll_event events[256];
		int ready = epoll_wait(poller, events, 256, -1);
		for (int i = 0; i < ready; i++) {
			int fd = events[i].data.fd;
			if (fd == timer) {
				unsigned long long ticks;
				if (read(timer, &ticks, sizeof ticks) > 0) {
					turn = (turn + 1) % TURNS;
					for (int j = turn; j < count; j += TURNS)
						if (fds[j] >= 0)
							say(fds[j], argv[5]);
				}
				continue;
			}
			ssize_t got = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
			if (got > 0) {
				bytes += (unsigned long long)got;
			} else if (got == 0) {
				close(fd);
				left--;
				for (int j = 0; j < count; j++)
					if (fds[j] == fd)
						fds[j] = -1;
			}
		}
	}
	printf("%d %llu\n", left, bytes);
	return 0;
}
