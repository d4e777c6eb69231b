// setChildSubreaper, pidfdOpen, pidfdSendSignal, pidfdGetFd, reap, peekExitedChild. See process.c.
#include <napi.h>

#include "convert.h"
#include "process.h"

namespace engine_room {
namespace {

Napi::Value subreaper(const Napi::CallbackInfo &info) {
  native_error error;
  if (set_child_subreaper(&error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value pidfd_open(const Napi::CallbackInfo &info) {
  int pidfd = -1;
  native_error error;
  if (open_pidfd(int_argument(info, 0), &pidfd, &error) < 0)
    return throw_native_error(info.Env(), error);
  return Napi::Number::New(info.Env(), pidfd);
}

Napi::Value pidfd_send_signal(const Napi::CallbackInfo &info) {
  native_error error;
  if (send_signal(int_argument(info, 0), int_argument(info, 1), &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value pidfd_getfd(const Napi::CallbackInfo &info) {
  int fd = -1;
  native_error error;
  if (get_descriptor_of(int_argument(info, 0), int_argument(info, 1), &fd, &error) < 0)
    return throw_native_error(info.Env(), error);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value reap(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  bool exited = false;
  exit_status status = {};
  native_error error;
  if (reap_child(int_argument(info, 0), &exited, &status, &error) < 0)
    return throw_native_error(env, error);
  if (!exited)
    return env.Null();
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", Napi::Number::New(env, status.pid));
  result.Set("code", Napi::Number::New(env, status.code));
  result.Set("signal", Napi::Number::New(env, status.signal));
  return result;
}

Napi::Value peek(const Napi::CallbackInfo &info) {
  pid_t pid = 0;
  native_error error;
  if (peek_exited_child(&pid, &error) < 0)
    return throw_native_error(info.Env(), error);
  if (pid == 0)
    return info.Env().Null();
  return Napi::Number::New(info.Env(), pid);
}

}  // namespace

void register_process(Napi::Env env, Napi::Object exports) {
  exports.Set("setChildSubreaper", Napi::Function::New(env, subreaper, "setChildSubreaper"));
  exports.Set("pidfdOpen", Napi::Function::New(env, pidfd_open, "pidfdOpen"));
  exports.Set("pidfdSendSignal", Napi::Function::New(env, pidfd_send_signal, "pidfdSendSignal"));
  exports.Set("pidfdGetFd", Napi::Function::New(env, pidfd_getfd, "pidfdGetFd"));
  exports.Set("reap", Napi::Function::New(env, reap, "reap"));
  exports.Set("peekExitedChild", Napi::Function::New(env, peek, "peekExitedChild"));
}

}  // namespace engine_room
