// The few functions of libuv that are needed here, since node-api-headers has no uv.h.
// Node exports them, and libuv keeps its 1.x ABI. https://docs.libuv.org/en/v1.x/poll.html
#ifndef ENGINE_ROOM_UV_POLL_H
#define ENGINE_ROOM_UV_POLL_H

#include <cstddef>

extern "C" {

struct uv_loop_s;    // declared in node_api.h, too
struct uv_handle_s;  // opaque here: uv_handle_size says how large a poll handle is

enum { UV_HANDLE_TYPE_POLL = 8 };
enum { UV_EVENT_READABLE = 1, UV_EVENT_WRITABLE = 2, UV_EVENT_DISCONNECT = 4 };

size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_s *handle, void *data);
void *uv_handle_get_data(const uv_handle_s *handle);
int uv_loop_fork(uv_loop_s *loop);
int uv_poll_init(uv_loop_s *loop, uv_handle_s *handle, int fd);
int uv_poll_start(uv_handle_s *handle, int events, void (*callback)(uv_handle_s *handle, int status, int events));
int uv_poll_stop(uv_handle_s *handle);
void uv_close(uv_handle_s *handle, void (*callback)(uv_handle_s *handle));

}  // extern "C"

#endif
