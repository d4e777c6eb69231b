// The addon: what native.ts calls NativeModule. Node-API 9, so one build serves every Node from 18 on.
#include <napi.h>

#include "convert.h"

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  engine_room::register_spawn(env, exports);
  engine_room::register_process(env, exports);
  engine_room::register_descriptor(env, exports);
  engine_room::register_socket(env, exports);
  engine_room::register_mount(env, exports);
  engine_room::register_file(env, exports);
  engine_room::register_network(env, exports);
  engine_room::register_watch_readable(env, exports);
  return exports;
}

NODE_API_MODULE(engine_room, initialize)
