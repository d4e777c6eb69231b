"""Lists the running containers, as `docker ps` does, with Docker's own SDK for Python and without the docker CLI."""

import docker

# Takes the daemon's address from DOCKER_HOST; without it, the usual socket.
client = docker.from_env()

# The SDK lists them, and then inspects each.
for container in client.containers.list():
    image = container.attrs["Config"]["Image"]
    print(f"ID: {container.id[:10]} | Image: {image} | State: {container.status}")
