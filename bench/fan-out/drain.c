/*
 * Many WebSocket viewers in one cheap process, so that the bench measures the server: connects, upgrades (RFC 6455),
 * says its first word, then reads and throws away whatever comes, and says its next word after each 12 to 20 frames, as
 * a page does. It looks every two milliseconds: a server should not pay for waking a viewer, who sits elsewhere.
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
#include <unistd.h>

#define LOOK_US 2000
#define MOST_EVENTS 8192
#define LEAST_FRAMES 12
#define MOST_FRAMES 20

struct viewer {
	int fd;
	/* Of the frame that comes: its header as far as it is there, and how much of its payload is not. */
	unsigned char header[10];
	unsigned have;
	unsigned long long payload;
	/* Until the next word. */
	int frames;
};

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

static int some_frames(void)
{
	return LEAST_FRAMES + rand() % (MOST_FRAMES - LEAST_FRAMES + 1);
}

/* How many frames begin in what has come. */
static int count_frames(struct viewer *viewer, const unsigned char *bytes, size_t size)
{
	int count = 0;
	while (size > 0) {
		if (viewer->payload > 0) {
			size_t part = viewer->payload < size ? (size_t)viewer->payload : size;
			viewer->payload -= part;
			bytes += part;
			size -= part;
			continue;
		}
		viewer->header[viewer->have++] = *bytes++;
		size--;
		if (viewer->have < 2)
			continue;
		unsigned length = viewer->header[1] & 127;
		unsigned extra = length == 127 ? 8 : length == 126 ? 2 : 0;
		if (viewer->have < 2 + extra)
			continue;
		viewer->payload = extra == 0 ? length : 0;
		for (unsigned i = 0; i < extra; i++)
			viewer->payload = viewer->payload << 8 | viewer->header[2 + i];
		viewer->have = 0;
		count++;
	}
	return count;
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
	struct viewer *viewers = calloc((size_t)count, sizeof *viewers);
	struct rlimit files = { (rlim_t)count + 64, (rlim_t)count + 64 };
	static unsigned char bytes[1 << 20];
	unsigned long long total = 0;
	int poller = epoll_create1(EPOLL_CLOEXEC);

	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("setrlimit");
	signal(SIGTERM, stop);
	for (int i = 0; i < count; i++) {
		struct viewer *viewer = &viewers[i];
		viewer->fd = connect_one(port, argv[2]);
		viewer->frames = some_frames();
		say(viewer->fd, argv[4]);
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = viewer };
		epoll_ctl(poller, EPOLL_CTL_ADD, viewer->fd, &event);
	}
	puts("ready");
	fflush(stdout);
	while (!stopped) {
		usleep(LOOK_US);
		static struct epoll_event events[MOST_EVENTS];
		int ready = epoll_wait(poller, events, MOST_EVENTS, 0);
		for (int i = 0; i < ready; i++) {
			struct viewer *viewer = events[i].data.ptr;
			ssize_t got = recv(viewer->fd, bytes, sizeof bytes, MSG_DONTWAIT);
			if (got > 0) {
				total += (unsigned long long)got;
				viewer->frames -= count_frames(viewer, bytes, (size_t)got);
				if (viewer->frames <= 0) {
					viewer->frames = some_frames();
					say(viewer->fd, argv[5]);
				}
			} else if (got == 0) {
				close(viewer->fd);
				left--;
			}
		}
	}
	printf("%d %llu\n", left, total);
	return 0;
}
