#!/bin/sh
# Lists the running containers, as `docker ps` does, with curl and jq and without the docker CLI.
set -eu

# The daemon's address is in DOCKER_HOST; without it, the usual socket.
host=${DOCKER_HOST:-unix:///var/run/docker.sock}
containers=$(curl --fail --silent --show-error --unix-socket "${host#unix://}" http://docker/containers/json)

printf '%s' "$containers" |
  jq --raw-output '.[] | "ID: \(.Id[:10]) | Image: \(.Image) | State: \(.State)"'
