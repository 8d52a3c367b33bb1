package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Compose starts the database of the docker-compose.yml in dir, where a container engine is at hand, and returns its
// URL. It is left running, as `make up` leaves it.
func Compose(ctx context.Context, log *slog.Logger, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "docker-compose.yml")); err != nil {
		return "", fmt.Errorf("use docker compose: %w", err)
	}
	if err := exec.CommandContext(ctx, "docker", "info").Run(); err != nil {
		return "", errors.New("use docker compose: docker is not here, or its engine cannot be reached")
	}
	env := filepath.Join(dir, ".env")
	if _, err := os.Stat(env); errors.Is(err, fs.ErrNotExist) {
		if _, err := output(ctx, dir, "make", ".env"); err != nil {
			return "", err
		}
	}
	log.Info("starting Postgres in a container: docker compose up -d --wait postgres; make down stops it")
	if _, err := output(ctx, dir, "docker", "compose", "up", "-d", "--wait", "postgres"); err != nil {
		return "", err
	}
	address, err := output(ctx, dir, "docker", "compose", "port", "postgres", "5432")
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(env)
	if err != nil {
		return "", fmt.Errorf("read the database's password: %w", err)
	}
	return composeURL(address, string(text))
}

// composeURL takes the password from the text of .env.
func composeURL(address, env string) (string, error) {
	for line := range strings.Lines(env) {
		name, password, _ := strings.Cut(strings.TrimSpace(line), "=")
		if name != "POSTGRES_PASSWORD" || password == "" {
			continue
		}
		u := url.URL{
			Scheme: "postgres", User: url.UserPassword(Database, strings.Trim(password, `"'`)),
			Host: address, Path: "/" + Database, RawQuery: "sslmode=disable",
		}
		return u.String(), nil
	}
	return "", errors.New("read the database's password: POSTGRES_PASSWORD is not in .env")
}

// output runs a command in dir and returns what it printed.
func output(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	return "", fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
}
