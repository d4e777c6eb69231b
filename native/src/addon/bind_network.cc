// openSocket, netlink. See network.c.
#include <napi.h>

#include <cassert>
#include <cstdlib>
#include <cstring>

#include "convert.h"
#include "network.h"

namespace engine_room {
namespace {

Napi::Value open_socket_in(const Napi::CallbackInfo &info) {
  const Napi::Object options = info[0].As<Napi::Object>();
  socket_request request = {};
  request.namespace_fd = int_property(options, "namespace");
  request.domain = int_property(options, "domain");
  request.type = int_property(options, "type");
  request.protocol = int_property(options, "protocol");
  const Napi::Uint8Array address = options.Get("address").As<Napi::Uint8Array>();
  assert(address.ByteLength() <= sizeof(request.address));
  request.address_length = static_cast<socklen_t>(address.ByteLength());
  std::memcpy(&request.address, address.Data(), address.ByteLength());
  int fd = -1;
  native_error error;
  if (open_socket(&request, &fd, &error) < 0)
    return throw_native_error(info.Env(), error);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value netlink(const Napi::CallbackInfo &info) {
  const Napi::Uint8Array messages = info[1].As<Napi::Uint8Array>();
  unsigned char *answers = nullptr;
  size_t length = 0;
  native_error error;
  if (netlink_exchange(int_argument(info, 0), messages.Data(), messages.ByteLength(), &answers, &length, &error) < 0)
    return throw_native_error(info.Env(), error);
  Napi::Value copy = Napi::Buffer<unsigned char>::Copy(info.Env(), answers, length);
  std::free(answers);
  return copy;
}

}  // namespace

void register_network(Napi::Env env, Napi::Object exports) {
  exports.Set("openSocket", Napi::Function::New(env, open_socket_in, "openSocket"));
  exports.Set("netlink", Napi::Function::New(env, netlink, "netlink"));
}

}  // namespace engine_room
