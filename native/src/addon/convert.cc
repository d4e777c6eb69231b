// Between JavaScript's values and C's.
#include "convert.h"

#include <cassert>
#include <cctype>
#include <cstring>
#include <utility>

namespace engine_room {

// In the form of Node's own errors: "ENOENT: no such file or directory, open '/x'".
Napi::Value throw_native_error(Napi::Env env, const native_error &error) {
  const char *code = native_error_code(error.number);
  std::string meaning = std::strerror(error.number);
  if (!meaning.empty())
    meaning[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(meaning[0])));
  std::string message = std::string(code) + ": " + meaning + ", " + error.system_call;
  if (error.path[0] != '\0')
    message += std::string(" '") + error.path + "'";

  Napi::Error value = Napi::Error::New(env, message);
  value.Set("code", Napi::String::New(env, code));
  value.Set("errno", Napi::Number::New(env, error.number));
  value.Set("syscall", Napi::String::New(env, error.system_call));
  if (error.path[0] != '\0')
    value.Set("path", Napi::String::New(env, error.path));
  value.ThrowAsJavaScriptException();
  return env.Undefined();
}

int int_argument(const Napi::CallbackInfo &info, size_t index) {
  assert(info[index].IsNumber());
  return info[index].As<Napi::Number>().Int32Value();
}

std::string string_argument(const Napi::CallbackInfo &info, size_t index) {
  assert(info[index].IsString());
  return info[index].As<Napi::String>().Utf8Value();
}

int int_property(const Napi::Object &object, const char *name) {
  const Napi::Value value = object.Get(name);
  assert(value.IsNumber());
  return value.As<Napi::Number>().Int32Value();
}

std::string string_property(const Napi::Object &object, const char *name) {
  const Napi::Value value = object.Get(name);
  assert(value.IsString());
  return value.As<Napi::String>().Utf8Value();
}

Napi::Array pair(Napi::Env env, int first, int second) {
  Napi::Array array = Napi::Array::New(env, 2);
  array.Set(0u, Napi::Number::New(env, first));
  array.Set(1u, Napi::Number::New(env, second));
  return array;
}

size_t int_list(const Napi::Value &value, int *numbers, size_t limit) {
  if (!value.IsArray())
    return 0;
  const Napi::Array array = value.As<Napi::Array>();
  assert(array.Length() <= limit);
  size_t count = 0;
  for (; count < array.Length() && count < limit; count++)
    numbers[count] = array.Get(static_cast<uint32_t>(count)).As<Napi::Number>().Int32Value();
  return count;
}

void StringVector::add(std::string text) {
  strings_.push_back(std::move(text));
}

char *const *StringVector::pointers() {
  pointers_.clear();
  for (std::string &text : strings_)
    pointers_.push_back(text.data());
  pointers_.push_back(nullptr);
  return pointers_.data();
}

StringVector string_vector(const Napi::Value &value) {
  assert(value.IsArray());
  const Napi::Array array = value.As<Napi::Array>();
  StringVector vector;
  for (uint32_t i = 0; i < array.Length(); i++)
    vector.add(array.Get(i).As<Napi::String>().Utf8Value());
  return vector;
}

}  // namespace engine_room
