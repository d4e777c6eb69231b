// socketpair, receiveFd, sendFd, sendToAll, peerCredentials. See socket.c.
#include <napi.h>

#include <string>

#include "convert.h"
#include "socket.h"

namespace engine_room {
namespace {

Napi::Value socketpair(const Napi::CallbackInfo &info) {
  int ends[2];
  native_error error;
  if (make_socketpair(ends, &error) < 0)
    return throw_native_error(info.Env(), error);
  return pair(info.Env(), ends[0], ends[1]);
}

Napi::Value receive_fd(const Napi::CallbackInfo &info) {
  int fd = -1;
  native_error error;
  if (receive_descriptor(int_argument(info, 0), int_argument(info, 1), &fd, &error) < 0)
    return throw_native_error(info.Env(), error);
  if (fd < 0)
    return info.Env().Null();
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value send_fd(const Napi::CallbackInfo &info) {
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  native_error error;
  if (send_descriptor(path.c_str(), bytes.Data(), bytes.ByteLength(), int_argument(info, 2), &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value send_to_all(const Napi::CallbackInfo &info) {
  const Napi::Int32Array sockets = info[0].As<Napi::Int32Array>();
  const Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  Napi::Uint32Array sent = Napi::Uint32Array::New(info.Env(), sockets.ElementLength());
  send_to_many(sockets.Data(), sockets.ElementLength(), bytes.Data(), bytes.ByteLength(), sent.Data());
  return sent;
}

Napi::Value credentials(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  peer other = {};
  native_error error;
  if (peer_credentials(int_argument(info, 0), &other, &error) < 0)
    return throw_native_error(env, error);
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", Napi::Number::New(env, other.pid));
  result.Set("uid", Napi::Number::New(env, other.uid));
  result.Set("gid", Napi::Number::New(env, other.gid));
  return result;
}

}  // namespace

void register_socket(Napi::Env env, Napi::Object exports) {
  exports.Set("socketpair", Napi::Function::New(env, socketpair, "socketpair"));
  exports.Set("receiveFd", Napi::Function::New(env, receive_fd, "receiveFd"));
  exports.Set("sendFd", Napi::Function::New(env, send_fd, "sendFd"));
  exports.Set("sendToAll", Napi::Function::New(env, send_to_all, "sendToAll"));
  exports.Set("peerCredentials", Napi::Function::New(env, credentials, "peerCredentials"));
}

}  // namespace engine_room
