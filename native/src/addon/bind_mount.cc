// mount, unmount. See mount.c.
#include <napi.h>

#include "convert.h"
#include "mount.h"

namespace engine_room {
namespace {

Napi::Value mount(const Napi::CallbackInfo &info) {
  const Napi::Object options = info[0].As<Napi::Object>();
  const std::string source = string_property(options, "source");
  const std::string target = string_property(options, "target");
  const std::string type = string_property(options, "type");
  const std::string data = string_property(options, "data");

  mount_request request = {};
  request.source = source.c_str();
  request.target = target.c_str();
  request.type = type.c_str();
  request.flags = static_cast<unsigned long>(options.Get("flags").As<Napi::Number>().Int64Value());
  request.data = data.c_str();
  native_error error;
  if (mount_filesystem(&request, &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value unmount(const Napi::CallbackInfo &info) {
  native_error error;
  if (unmount_filesystem(string_argument(info, 0).c_str(), int_argument(info, 1), &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

}  // namespace

void register_mount(Napi::Env env, Napi::Object exports) {
  exports.Set("mount", Napi::Function::New(env, mount, "mount"));
  exports.Set("unmount", Napi::Function::New(env, unmount, "unmount"));
}

}  // namespace engine_room
