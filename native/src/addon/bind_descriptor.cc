// close, pipe, eventfd, mkfifo, open, splice, setNonBlocking, setWindowSize. See descriptor.c.
#include <napi.h>

#include "convert.h"
#include "descriptor.h"

namespace engine_room {
namespace {

Napi::Value close(const Napi::CallbackInfo &info) {
  native_error error;
  if (close_descriptor(int_argument(info, 0), &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value pipe(const Napi::CallbackInfo &info) {
  int ends[2];
  native_error error;
  if (make_pipe(ends, &error) < 0)
    return throw_native_error(info.Env(), error);
  return pair(info.Env(), ends[0], ends[1]);
}

Napi::Value eventfd(const Napi::CallbackInfo &info) {
  int fd = -1;
  native_error error;
  if (make_eventfd(&fd, &error) < 0)
    return throw_native_error(info.Env(), error);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value mkfifo(const Napi::CallbackInfo &info) {
  native_error error;
  if (make_fifo(string_argument(info, 0).c_str(), static_cast<mode_t>(int_argument(info, 1)), &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value open(const Napi::CallbackInfo &info) {
  int fd = -1;
  native_error error;
  if (open_file(string_argument(info, 0).c_str(), int_argument(info, 1), static_cast<mode_t>(int_argument(info, 2)),
                &fd, &error) < 0)
    return throw_native_error(info.Env(), error);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value splice(const Napi::CallbackInfo &info) {
  const bool has_offset = info[2].IsNumber();
  const int64_t offset = has_offset ? info[2].As<Napi::Number>().Int64Value() : 0;
  const size_t limit = static_cast<size_t>(info[3].As<Napi::Number>().Int64Value());
  int64_t moved = 0;
  bool would_block = false;
  native_error error;
  if (splice_from_pipe(int_argument(info, 0), int_argument(info, 1), has_offset ? &offset : nullptr, limit, &moved,
                       &would_block, &error) < 0)
    return throw_native_error(info.Env(), error);
  if (would_block)
    return info.Env().Null();
  return Napi::Number::New(info.Env(), static_cast<double>(moved));
}

Napi::Value set_non_blocking(const Napi::CallbackInfo &info) {
  native_error error;
  if (::set_non_blocking(int_argument(info, 0), &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value set_window_size(const Napi::CallbackInfo &info) {
  native_error error;
  if (::set_window_size(int_argument(info, 0), static_cast<unsigned short>(int_argument(info, 1)),
                        static_cast<unsigned short>(int_argument(info, 2)), &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

}  // namespace

void register_descriptor(Napi::Env env, Napi::Object exports) {
  exports.Set("close", Napi::Function::New(env, close, "close"));
  exports.Set("pipe", Napi::Function::New(env, pipe, "pipe"));
  exports.Set("eventfd", Napi::Function::New(env, eventfd, "eventfd"));
  exports.Set("mkfifo", Napi::Function::New(env, mkfifo, "mkfifo"));
  exports.Set("open", Napi::Function::New(env, open, "open"));
  exports.Set("splice", Napi::Function::New(env, splice, "splice"));
  exports.Set("setNonBlocking", Napi::Function::New(env, set_non_blocking, "setNonBlocking"));
  exports.Set("setWindowSize", Napi::Function::New(env, set_window_size, "setWindowSize"));
}

}  // namespace engine_room
