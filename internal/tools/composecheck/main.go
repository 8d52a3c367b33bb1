// Command composecheck reads compose files the way docker compose does, without Docker: once as they are, once with all
// profiles. It is in the module of the development tools, so that the service does not depend on what it imports.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: composecheck FILE")
		os.Exit(2)
	}
	if err := check(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "composecheck:", err)
		os.Exit(1)
	}
}

// check loads the file with secrets set, and makes sure that it does not load without them.
func check(ctx context.Context, file string) error {
	secrets := []string{"POSTGRES_PASSWORD=x", "CDRSTORE_TOKEN=x", "CDRSTORE_CONSOLE_TOKEN=x"}
	for _, profiles := range [][]string{nil, {"*"}} {
		project, err := load(ctx, file, profiles, secrets)
		if err != nil {
			return err
		}
		for name, service := range project.Services {
			if err := published(name, service); err != nil {
				return err
			}
		}
	}
	for i := range secrets {
		without := append(append([]string{}, secrets[:i]...), secrets[i+1:]...)
		if _, err := load(ctx, file, nil, without); err == nil {
			return fmt.Errorf("%s loads without %s", file, strings.TrimSuffix(secrets[i], "=x"))
		}
	}
	return nil
}

// load reads the file with exactly the given environment.
func load(ctx context.Context, file string, profiles, env []string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{file},
		cli.WithName("composecheck"), cli.WithEnv(env), cli.WithProfiles(profiles))
	if err != nil {
		return nil, fmt.Errorf("prepare to load %s: %w", file, err)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, fmt.Errorf("load %s with profiles %v: %w", file, profiles, err)
	}
	if len(project.Services) == 0 {
		return nil, fmt.Errorf("%s has no services", file)
	}
	return project, nil
}

// published keeps services off the network: what they publish is for this machine alone.
func published(name string, service types.ServiceConfig) error {
	for _, p := range service.Ports {
		if p.HostIP != "127.0.0.1" {
			return errors.New("service " + name + " publishes a port beyond 127.0.0.1")
		}
	}
	return nil
}
