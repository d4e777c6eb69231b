// listAttributes, getAttribute, setAttribute, mknod, spreadFolders. See file.c.
#include <napi.h>

#include <array>
#include <cstring>

#include "convert.h"
#include "file.h"

namespace engine_room {
namespace {

Napi::Value list(const Napi::CallbackInfo &info) {
  std::array<char, ATTRIBUTE_MAX> names;
  native_error error;
  ssize_t length = list_attributes(string_argument(info, 0).c_str(), names.data(), names.size(), &error);
  if (length < 0)
    return throw_native_error(info.Env(), error);
  // Names stand one behind the other, each with its NUL.
  Napi::Array found = Napi::Array::New(info.Env());
  for (size_t at = 0; at < static_cast<size_t>(length); at += std::strlen(&names[at]) + 1)
    found[found.Length()] = Napi::String::New(info.Env(), &names[at]);
  return found;
}

Napi::Value get(const Napi::CallbackInfo &info) {
  std::array<char, ATTRIBUTE_MAX> value;
  native_error error;
  ssize_t length =
      get_attribute(string_argument(info, 0).c_str(), string_argument(info, 1).c_str(), value.data(), value.size(), &error);
  if (length < 0)
    return throw_native_error(info.Env(), error);
  return Napi::Buffer<char>::Copy(info.Env(), value.data(), static_cast<size_t>(length));
}

Napi::Value set(const Napi::CallbackInfo &info) {
  const Napi::Uint8Array value = info[2].As<Napi::Uint8Array>();
  native_error error;
  if (set_attribute(string_argument(info, 0).c_str(), string_argument(info, 1).c_str(), value.Data(), value.ByteLength(),
                    &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value node(const Napi::CallbackInfo &info) {
  native_error error;
  if (make_node(string_argument(info, 0).c_str(), static_cast<mode_t>(int_argument(info, 1)),
                static_cast<unsigned int>(int_argument(info, 2)), static_cast<unsigned int>(int_argument(info, 3)),
                &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value spread(const Napi::CallbackInfo &info) {
  native_error error;
  const int result = spread_folders(string_argument(info, 0).c_str(), &error);
  if (result < 0)
    return throw_native_error(info.Env(), error);
  return Napi::Boolean::New(info.Env(), result == 1);
}

}  // namespace

void register_file(Napi::Env env, Napi::Object exports) {
  exports.Set("listAttributes", Napi::Function::New(env, list, "listAttributes"));
  exports.Set("getAttribute", Napi::Function::New(env, get, "getAttribute"));
  exports.Set("setAttribute", Napi::Function::New(env, set, "setAttribute"));
  exports.Set("mknod", Napi::Function::New(env, node, "mknod"));
  exports.Set("spreadFolders", Napi::Function::New(env, spread, "spreadFolders"));
}

}  // namespace engine_room
