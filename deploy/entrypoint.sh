#!/bin/sh
# cgroup v2 gives controllers only to a cgroup without processes of its own, and this container's processes stand in
# its root: they step aside, and then containers can have limits.
set -e
if [ -f /sys/fs/cgroup/cgroup.controllers ] && [ -w /sys/fs/cgroup/cgroup.subtree_control ]; then
  mkdir -p /sys/fs/cgroup/lab
  while read -r pid; do
    echo "$pid" > /sys/fs/cgroup/lab/cgroup.procs 2>/dev/null || true
  done < /sys/fs/cgroup/cgroup.procs
  sed 's/\(^\| \)/ +/g' /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control
fi
# Not start.mjs, which would look for compilers: all is built.
exec apps/engine/bin/lab "$@"
