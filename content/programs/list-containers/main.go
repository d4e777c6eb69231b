// Lists the running containers, as `docker ps` does, with Docker's own SDK for Go and without the docker CLI.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/client"
)

func main() {
	if err := list(); err != nil {
		fmt.Fprintln(os.Stderr, "list-containers:", err)
		os.Exit(1)
	}
}

func list() error {
	// FromEnv takes the daemon's address from DOCKER_HOST; without it, the usual socket.
	docker, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	defer docker.Close()

	containers, err := docker.ContainerList(context.Background(), types.ContainerListOptions{})
	if err != nil {
		return err
	}
	for _, c := range containers {
		fmt.Printf("ID: %s | Image: %s | State: %s\n", c.ID[:10], c.Image, c.State)
	}
	return nil
}
