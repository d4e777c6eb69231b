/* memfd_create(2), fcntl(2) F_ADD_SEALS. Linux >= 3.17; MFD_EXEC where there is a choice (>= 6.3). */
#include "sealed_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#define MFD_EXEC 0x0010u
#endif

static int create_memfd(const char *name, bool executable) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = memfd_create(name, flags | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));
  // An older kernel knows neither word; there, every memfd may be executed.
  return fd >= 0 || errno != EINVAL ? fd : memfd_create(name, flags);
}

static int write_all(int fd, const char *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = write(fd, bytes + done, size - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return -1;
    done += (size_t)count;
  }
  return 0;
}

int seal_memory(const char *name, const void *bytes, size_t size, bool executable, int *fd,
                struct native_error *error) {
  const int created = create_memfd(name, executable);
  if (created < 0)
    return native_error_set(error, "memfd_create", NULL);
  if (write_all(created, bytes, size) < 0) {
    native_error_set(error, "write", NULL);
    close(created);
    return -1;
  }
  // 0555 so that nobody may even open it for writing; the seals hold against those who may all.
  if ((executable && fchmod(created, 0555) < 0) ||
      fcntl(created, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
    native_error_set(error, "fcntl", NULL);
    close(created);
    return -1;
  }
  *fd = created;
  return 0;
}
