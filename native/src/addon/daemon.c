/* daemon(7), "SysV Daemons": what of it is still needed. The double fork itself is in spawn.c. */
#include "daemon.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"
#include "spawn.h"

int spawn_daemon(const struct daemon_request *request, pid_t *pid, struct native_error *error) {
  int input = -1;
  if (open_file("/dev/null", O_RDWR, 0, &input, error) < 0)
    return -1;
  int output = input;
  if (request->log != NULL && open_file(request->log, O_WRONLY | O_APPEND | O_CREAT, 0640, &output, error) < 0) {
    close(input);
    return -1;
  }

  struct spawn_request spawn = {
      .executable = -1,
      .file = request->file,
      .argv = request->argv,
      .env = request->env,
      .cwd = request->cwd,
      .descriptors = {input, output, output},
      .descriptor_count = 3 + request->extra_count,
  };
  memcpy(spawn.descriptors + 3, request->extra, request->extra_count * sizeof(int));
  const int result = spawn_detached(&spawn, pid, error);

  close(input);
  if (output != input)
    close(output);
  return result;
}
