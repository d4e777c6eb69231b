/*
 * The program of the embedded image `hello-world`: says hello, and what the kernel tells it about where it is.
 * The only file in its image, so it is static and reads nothing but /proc.
 *
 * namespaces(7), cgroups(7), proc(5)
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_namespaces(void) {
  static const char *const kinds[] = {"pid", "mnt", "uts", "ipc", "net", "cgroup", "user"};
  static const char *const meanings[] = {
      "processes that it can see", "mounts, its own root among them",  "host name",
      "shared memory and queues",  "network interfaces and addresses", "its place in the cgroup tree",
      "users and groups",
  };
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char path[64];
    char target[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
    const ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) continue;
    target[length] = '\0';
    printf("  %-7s %-20s %s\n", kinds[i], target, meanings[i]);
  }
}

static void print_lines_of(const char *path, const char *prefix) {
  FILE *file = fopen(path, "re");
  if (!file) return;
  char line[PATH_MAX];
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    printf("%s%s\n", prefix, line);
  }
  fclose(file);
}

static void print_status(const char *const names[], size_t count) {
  FILE *file = fopen("/proc/self/status", "re");
  if (!file) return;
  char line[512];
  while (fgets(line, sizeof line, file)) {
    for (size_t i = 0; i < count; i++) {
      const size_t length = strlen(names[i]);
      if (strncmp(line, names[i], length) == 0 && line[length] == ':') printf("  %s", line);
    }
  }
  fclose(file);
}

int main(void) {
  static const char *const facts[] = {"CapEff", "NoNewPrivs", "Seccomp"};
  char host[HOST_NAME_MAX + 1] = "";
  gethostname(host, sizeof host - 1);

  puts("Hello from Engine Room!\n");
  puts("This line was written by a process in a container. On its way here:");
  puts("  1. The docker client asked dockerd, over HTTP, to create a container and to start it.");
  puts("  2. dockerd asked containerd, over gRPC, to run a task.");
  puts("  3. containerd asked a shim, over ttrpc, and the shim let runc build the container.");
  puts("  4. runc made namespaces, a cgroup and a root file system, became this program, and was gone.");
  puts("  5. What it prints goes to the shim, to dockerd, and to you.\n");

  printf("I am process %d of host \"%s\", user %u, group %u.\n\n", getpid(), host, getuid(), getgid());
  puts("My namespaces, by the number that the kernel gives each:");
  print_namespaces();
  puts("\nMy cgroup:");
  print_lines_of("/proc/self/cgroup", "  ");
  puts("\nWhat I may do:");
  print_status(facts, sizeof facts / sizeof *facts);
  puts("\nTry next:  docker run --rm busybox ps");
  return 0;
}
