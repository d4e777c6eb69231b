/* What becomes `code`, `errno`, `syscall` and `path` of an Error in JavaScript. Filled once, by whoever failed. */
#ifndef ENGINE_ROOM_NATIVE_ERROR_H
#define ENGINE_ROOM_NATIVE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

struct native_error {
  int number; /* errno(3) */
  const char *system_call;
  char path[4096]; /* empty where the call has no path */
};

/* Keeps errno and the names; returns -1, so that a function can end with it. `path` may be NULL. */
int native_error_set(struct native_error *error, const char *system_call, const char *path);

/* The same with a given errno. */
int native_error_set_number(struct native_error *error, int number, const char *system_call, const char *path);

/* "ENOENT" for 2. */
const char *native_error_code(int number);

#ifdef __cplusplus
}
#endif

#endif
