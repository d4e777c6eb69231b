// watchReadable, watchWritable, watchHangUp: a JavaScript callback whenever a descriptor can be read or written, or has
// nobody at its other end any more.
//
// Descriptors that Node has no class for (a pidfd, a FIFO that is spliced from) join its event loop with uv_poll.
// While one is watched, it keeps the process alive, as an open socket does. epoll(7), pidfd_open(2).
#include <napi.h>

#include <memory>
#include <utility>

#include "convert.h"
#include "uv_poll.h"

namespace engine_room {
namespace {

class Watch {
 public:
  // Starts to watch. Returns the stop function; throws (in JavaScript) where epoll refuses the descriptor.
  static Napi::Value start(Napi::Env env, int fd, int events, const Napi::Function &callback) {
    uv_loop_s *loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    auto watch = std::unique_ptr<Watch>(new Watch(env, callback));
    const int refused = uv_poll_init(loop, watch->handle(), fd);
    if (refused < 0)
      return refuse(env, refused);
    Watch *self = watch.release();  // from here on libuv has it, until on_closed
    const int failed = uv_poll_start(self->handle(), events, on_ready);
    if (failed < 0) {
      self->close();
      return refuse(env, failed);
    }
    napi_add_async_cleanup_hook(env, on_environment_ends, self, &self->cleanup_hook_);

    // JavaScript may keep the stop function longer than we live: it holds a flag, not us.
    auto alive = self->alive_;
    return Napi::Function::New(
        env,
        [self, alive](const Napi::CallbackInfo &info) {
          if (*alive)
            self->close();
          return info.Env().Undefined();
        },
        "stop");
  }

 private:
  Watch(Napi::Env env, const Napi::Function &callback)
      : handle_(new char[uv_handle_size(UV_HANDLE_TYPE_POLL)]),
        callback_(Napi::Persistent(callback)),
        // Carries AsyncLocalStorage from the caller of watchReadable into the callback.
        context_(env, "watch"),
        alive_(std::make_shared<bool>(true)) {
    uv_handle_set_data(handle(), this);
  }

  static Napi::Value refuse(Napi::Env env, int status) {
    native_error error;
    native_error_set_number(&error, -status, "epoll_ctl", nullptr);
    return throw_native_error(env, error);
  }

  uv_handle_s *handle() {
    return reinterpret_cast<uv_handle_s *>(handle_.get());
  }

  void close() {
    *alive_ = false;
    uv_poll_stop(handle());
    uv_close(handle(), on_closed);
  }

  // A status below 0 (EBADF: an error condition at the descriptor) is for the callback's own read to find out.
  static void on_ready(uv_handle_s *handle, int, int) {
    Watch *self = static_cast<Watch *>(uv_handle_get_data(handle));
    const Napi::Env env = self->callback_.Env();
    const Napi::HandleScope scope(env);
    napi_value result = nullptr;
    const napi_status status =
        napi_make_callback(env, self->context_, env.Global(), self->callback_.Value(), 0, nullptr, &result);
    if (status == napi_pending_exception) {
      napi_value exception = nullptr;
      napi_get_and_clear_last_exception(env, &exception);
      napi_fatal_exception(env, exception);
    }
  }

  static void on_closed(uv_handle_s *handle) {
    Watch *self = static_cast<Watch *>(uv_handle_get_data(handle));
    if (self->cleanup_hook_ != nullptr)
      napi_remove_async_cleanup_hook(self->cleanup_hook_);
    const Napi::HandleScope scope(self->callback_.Env());
    delete self;
  }

  // A worker thread or the process ends while we watch.
  static void on_environment_ends(napi_async_cleanup_hook_handle, void *data) {
    Watch *self = static_cast<Watch *>(data);
    if (*self->alive_)
      self->close();
  }

  std::unique_ptr<char[]> handle_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  std::shared_ptr<bool> alive_;
  napi_async_cleanup_hook_handle cleanup_hook_ = nullptr;
};

Napi::Value watch_readable(const Napi::CallbackInfo &info) {
  return Watch::start(info.Env(), int_argument(info, 0), UV_EVENT_READABLE, info[1].As<Napi::Function>());
}

Napi::Value watch_writable(const Napi::CallbackInfo &info) {
  return Watch::start(info.Env(), int_argument(info, 0), UV_EVENT_WRITABLE, info[1].As<Napi::Function>());
}

// epoll reports the hang-up of a pipe whatever was asked for, and libuv passes it on under this name.
Napi::Value watch_hang_up(const Napi::CallbackInfo &info) {
  return Watch::start(info.Env(), int_argument(info, 0), UV_EVENT_DISCONNECT, info[1].As<Napi::Function>());
}

}  // namespace

void register_watch_readable(Napi::Env env, Napi::Object exports) {
  exports.Set("watchReadable", Napi::Function::New(env, watch_readable, "watchReadable"));
  exports.Set("watchWritable", Napi::Function::New(env, watch_writable, "watchWritable"));
  exports.Set("watchHangUp", Napi::Function::New(env, watch_hang_up, "watchHangUp"));
}

}  // namespace engine_room
