/* llistxattr(2), lgetxattr(2), lsetxattr(2), mknod(2), ioctl_iflags(2). */
#include "file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

ssize_t list_attributes(const char *path, char *names, size_t size, struct native_error *error) {
  ssize_t length = llistxattr(path, names, size);
  if (length < 0)
    return native_error_set(error, "llistxattr", path);
  return length;
}

ssize_t get_attribute(const char *path, const char *name, void *value, size_t size, struct native_error *error) {
  ssize_t length = lgetxattr(path, name, value, size);
  if (length < 0)
    return native_error_set(error, "lgetxattr", path);
  return length;
}

int set_attribute(const char *path, const char *name, const void *value, size_t size, struct native_error *error) {
  if (lsetxattr(path, name, value, size, 0) < 0)
    return native_error_set(error, "lsetxattr", path);
  return 0;
}

int make_node(const char *path, mode_t mode, unsigned int major_number, unsigned int minor_number,
              struct native_error *error) {
  if (mknod(path, mode, makedev(major_number, minor_number)) < 0)
    return native_error_set(error, "mknod", path);
  return 0;
}

int spread_folders(const char *path, struct native_error *error) {
  const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0)
    return native_error_set(error, "open", path);
  int flags = 0;
  bool is_taken = ioctl(folder, FS_IOC_GETFLAGS, &flags) == 0;
  flags |= FS_TOPDIR_FL;
  is_taken = is_taken && ioctl(folder, FS_IOC_SETFLAGS, &flags) == 0;
  close(folder);
  return is_taken;
}
