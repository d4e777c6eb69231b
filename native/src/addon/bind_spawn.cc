// loadHelper, spawnRunc, spawnDetached, forkTwin, leaveFootprint, askFootprint, forgetFootprint,
// dropProgram, keepProgram, mapSideBySide, exitNow. What they do is in runc.c, daemon.c, spawn.c, twin.c, footprint.c,
// program.c and side_by_side.c.
#include <napi.h>

#include "convert.h"
#include "daemon.h"
#include "footprint.h"
#include "program.h"
#include "runc.h"
#include "side_by_side.h"
#include "twin.h"
#include "uv_poll.h"

namespace engine_room {
namespace {

Napi::Value load_helper(const Napi::CallbackInfo &info) {
  const Napi::Uint8Array executable = info[0].As<Napi::Uint8Array>();
  native_error error;
  if (load_runc(executable.Data(), executable.ByteLength(), &error) < 0)
    return throw_native_error(info.Env(), error);
  return info.Env().Undefined();
}

Napi::Value spawn_runc(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = info[0].As<Napi::Object>();
  const Napi::Uint8Array plan = options.Get("plan").As<Napi::Uint8Array>();
  StringVector argv = string_vector(options.Get("argv"));
  const std::string cwd = string_property(options, "cwd");

  runc_request request = {};
  request.plan = plan.Data();
  request.plan_size = plan.ByteLength();
  request.argv = argv.pointers();
  request.cwd = cwd.c_str();
  int_list(options.Get("stdio"), request.stdio, 3);
  request.extra_count = int_list(options.Get("extraFds"), request.extra, RUNC_EXTRA_MAX);

  runc_process process = {};
  native_error error;
  if (::spawn_runc(&request, &process, &error) < 0)
    return throw_native_error(env, error);
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", Napi::Number::New(env, process.pid));
  result.Set("pidfd", Napi::Number::New(env, process.pidfd));
  result.Set("records", Napi::Number::New(env, process.records));
  return result;
}

Napi::Value spawn_detached(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = info[0].As<Napi::Object>();
  const std::string file = string_property(options, "file");
  const std::string cwd = string_property(options, "cwd");
  StringVector argv = string_vector(options.Get("argv"));
  StringVector environment;
  const Napi::Object variables = options.Get("env").As<Napi::Object>();
  const Napi::Array names = variables.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    const Napi::Value name = names.Get(i);
    environment.add(name.ToString().Utf8Value() + "=" + variables.Get(name).ToString().Utf8Value());
  }
  std::string log;
  const bool has_log = options.Get("log").IsString();
  if (has_log)
    log = string_property(options, "log");

  daemon_request request = {};
  request.file = file.c_str();
  request.argv = argv.pointers();
  request.env = environment.pointers();
  request.cwd = cwd.c_str();
  request.log = has_log ? log.c_str() : nullptr;
  request.extra_count = int_list(options.Get("extraFds"), request.extra, DAEMON_EXTRA_MAX);

  pid_t pid = 0;
  native_error error;
  if (spawn_daemon(&request, &pid, &error) < 0)
    return throw_native_error(env, error);
  return Napi::Number::New(env, pid);
}

// True in the copy. Its event loop is renewed before anything else, for it would take its first step in ours.
Napi::Value fork_twin_of_ours(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  bool is_twin = false;
  native_error error;
  if (fork_twin(&is_twin, &error) < 0)
    return throw_native_error(env, error);
  if (is_twin) {
    uv_loop_s *loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    if (uv_loop_fork(loop) < 0)
      exit_now(1);
  }
  return Napi::Boolean::New(env, is_twin);
}

Napi::Value leave_footprint(const Napi::CallbackInfo &info) {
  footprint_leave();
  return info.Env().Undefined();
}

Napi::Value ask_footprint(const Napi::CallbackInfo &info) {
  footprint_ask();
  return info.Env().Undefined();
}

Napi::Value forget_footprint(const Napi::CallbackInfo &info) {
  footprint_forget();
  return info.Env().Undefined();
}

Napi::Value drop_program(const Napi::CallbackInfo &info) {
  program_drop();
  return info.Env().Undefined();
}

Napi::Value keep_program(const Napi::CallbackInfo &info) {
  program_keep();
  return info.Env().Undefined();
}

Napi::Value map_all_side_by_side(const Napi::CallbackInfo &info) {
  map_side_by_side();
  return info.Env().Undefined();
}

Napi::Value exit_past_node(const Napi::CallbackInfo &info) {
  exit_now(int_argument(info, 0));
  return info.Env().Undefined();
}

}  // namespace

void register_spawn(Napi::Env env, Napi::Object exports) {
  exports.Set("loadHelper", Napi::Function::New(env, load_helper, "loadHelper"));
  exports.Set("spawnRunc", Napi::Function::New(env, spawn_runc, "spawnRunc"));
  exports.Set("spawnDetached", Napi::Function::New(env, spawn_detached, "spawnDetached"));
  exports.Set("forkTwin", Napi::Function::New(env, fork_twin_of_ours, "forkTwin"));
  exports.Set("leaveFootprint", Napi::Function::New(env, leave_footprint, "leaveFootprint"));
  exports.Set("askFootprint", Napi::Function::New(env, ask_footprint, "askFootprint"));
  exports.Set("forgetFootprint", Napi::Function::New(env, forget_footprint, "forgetFootprint"));
  exports.Set("dropProgram", Napi::Function::New(env, drop_program, "dropProgram"));
  exports.Set("keepProgram", Napi::Function::New(env, keep_program, "keepProgram"));
  exports.Set("mapSideBySide", Napi::Function::New(env, map_all_side_by_side, "mapSideBySide"));
  exports.Set("exitNow", Napi::Function::New(env, exit_past_node, "exitNow"));
}

}  // namespace engine_room
