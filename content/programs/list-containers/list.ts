/** Lists the running containers, as `docker ps` does, with dockerode and without the docker CLI. */
import Docker from 'dockerode';

// Takes the daemon's address from DOCKER_HOST; without it, the usual socket.
const docker = new Docker();

for (const { Id, Image, State } of await docker.listContainers())
  console.log(`ID: ${Id.slice(0, 10)} | Image: ${Image} | State: ${State}`);
