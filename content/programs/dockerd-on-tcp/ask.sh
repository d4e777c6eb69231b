#!/bin/sh
# A dockerd of its own that listens on a socket and on a TCP port, and somebody who is nobody and asks at both.
# It runs in a network namespace of its own, where no other program can reach the port. network_namespaces(7)
#   ask.sh FOLDER DAEMONS NOBODY      a folder to be made, the folder of dockerd and containerd, a user id
set -eu
folder=$1
daemons=$2
nobody=$3
port=tcp://127.0.0.1:2375

rm -rf "$folder"
mkdir -p "$folder"
ip link set lo up

# In the background: it dies with this shell, however that ends, and has the pid that the shell knows. setpriv(1), PR_SET_PDEATHSIG(2const)
with_us() {
  exec setpriv --pdeathsig KILL "$@"
}
ask_as_nobody() {
  setpriv --reuid "$nobody" --regid "$nobody" --clear-groups curl --silent --show-error --max-time 10 "$@"
}

with_us "$daemons/containerd" --address "$folder/containerd.sock" --root "$folder/containerd" \
  --state "$folder/state" 2>"$folder/containerd.log" &
containerd=$!
with_us "$daemons/dockerd" -H "unix://$folder/docker.sock" -H "$port" --containerd "$folder/containerd.sock" \
  --data-root "$folder/docker" --exec-root "$folder/exec" 2>"$folder/dockerd.log" &
dockerd=$!
echo "\$ dockerd -H unix://… -H $port"

# It listens in the order of its -H, so the port comes last; 0947 is 2375, 0A is LISTEN. proc_net(5)
until grep -q ' 0100007F:0947 00000000:0000 0A ' /proc/net/tcp; do
  kill -0 "$dockerd" || {
    cat "$folder/dockerd.log" >&2
    exit 1
  }
  sleep 0.1
done
grep -h WARNING "$folder/dockerd.log" | cut -d: -f2-

(cd "$folder" && echo '$ ls -l docker.sock' && stat --format '%A %U %G %n' docker.sock)
echo "\$ curl --unix-socket docker.sock http://docker/containers/json    # as user $nobody"
ask_as_nobody --unix-socket "$folder/docker.sock" http://docker/containers/json 2>&1 || true
echo "\$ curl http://127.0.0.1:2375/containers/json    # as user $nobody"
ask_as_nobody http://127.0.0.1:2375/containers/json
echo

kill "$dockerd"
wait "$dockerd" || true
kill "$containerd"
wait "$containerd" || true
rm -rf "$folder"
