// Between JavaScript's values and C's. Types are checked in arguments.ts, before anything comes here.
#ifndef ENGINE_ROOM_CONVERT_H
#define ENGINE_ROOM_CONVERT_H

#include <napi.h>

#include <string>
#include <vector>

#include "native_error.h"

namespace engine_room {

// Throws a NativeError (native.ts); returns undefined for `return throw_native_error(…)`.
Napi::Value throw_native_error(Napi::Env env, const native_error &error);

int int_argument(const Napi::CallbackInfo &info, size_t index);
std::string string_argument(const Napi::CallbackInfo &info, size_t index);

int int_property(const Napi::Object &object, const char *name);
std::string string_property(const Napi::Object &object, const char *name);

Napi::Array pair(Napi::Env env, int first, int second);

// Copies up to `limit` numbers of an optional array; returns how many.
size_t int_list(const Napi::Value &value, int *numbers, size_t limit);

// Strings in the form that execve(2) wants: pointers, and NULL at the end.
class StringVector {
 public:
  void add(std::string text);
  char *const *pointers();

 private:
  std::vector<std::string> strings_;
  std::vector<char *> pointers_;
};

StringVector string_vector(const Napi::Value &array);

// The groups of functions, each in a file of its own; addon.cc puts them together.
void register_spawn(Napi::Env env, Napi::Object exports);
void register_process(Napi::Env env, Napi::Object exports);
void register_descriptor(Napi::Env env, Napi::Object exports);
void register_socket(Napi::Env env, Napi::Object exports);
void register_mount(Napi::Env env, Napi::Object exports);
void register_file(Napi::Env env, Napi::Object exports);
void register_network(Napi::Env env, Napi::Object exports);
void register_watch_readable(Napi::Env env, Napi::Object exports);

}  // namespace engine_room

#endif
