package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// manager is a package manager and the commands that install Postgres with it.
type manager struct {
	program string
	// byRoot: the commands need root; Homebrew refuses it.
	byRoot bool
	steps  [][]string
	// cleanup is run after the steps, also when one failed.
	cleanup []string
}

// managers lists those we know. On Debian and Ubuntu the package would create and start a server of its own,
// so that it is told not to, for the time of the installation.
func managers() []manager {
	const dropIn = "/etc/postgresql-common/createcluster.d/cdrstore.conf"
	apt := []string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"}
	return []manager{
		{
			program: "apt-get", byRoot: true,
			steps: [][]string{
				append(slices.Clip(apt), "update"),
				append(slices.Clip(apt), "install", "--no-install-recommends", "-y", "postgresql-common"),
				{"sh", "-c", "mkdir -p $(dirname " + dropIn + ") && echo create_main_cluster = false > " + dropIn},
				append(slices.Clip(apt), "install", "--no-install-recommends", "-y", "postgresql"),
			},
			cleanup: []string{"rm", "-f", dropIn},
		},
		{program: "dnf", byRoot: true, steps: [][]string{{"dnf", "install", "-y", "postgresql-server"}}},
		{program: "yum", byRoot: true, steps: [][]string{{"yum", "install", "-y", "postgresql-server"}}},
		{program: "zypper", byRoot: true, steps: [][]string{{"zypper", "--non-interactive", "install", "postgresql-server"}}},
		{program: "apk", byRoot: true, steps: [][]string{{"apk", "add", "--no-cache", "postgresql"}}},
		{program: "pacman", byRoot: true, steps: [][]string{{"pacman", "-Sy", "--noconfirm", "--needed", "postgresql"}}},
		{program: "brew", steps: [][]string{{"brew", "install", "postgresql@17"}}},
	}
}

// Install installs Postgres with the system's package manager, as root or through sudo as far as that asks no
// password. It says on the log what it does.
func Install(ctx context.Context, log *slog.Logger) error {
	return install(ctx, log, managers())
}

// install tries the package managers in turn.
func install(ctx context.Context, log *slog.Logger, managers []manager) error {
	var tried []error
	var names []string
	for _, m := range managers {
		names = append(names, m.program)
		if _, err := exec.LookPath(m.program); err != nil {
			continue
		}
		err := m.install(ctx, log)
		if err == nil {
			return nil
		}
		tried = append(tried, fmt.Errorf("%s: %w", m.program, err))
	}
	if len(tried) == 0 {
		return fmt.Errorf("install Postgres: none of %s is here", strings.Join(names, ", "))
	}
	return fmt.Errorf("install Postgres: %w", errors.Join(tried...))
}

// install runs the manager's commands and checks that they brought a server.
func (m manager) install(ctx context.Context, log *slog.Logger) (err error) {
	var sudo []string
	switch root := os.Geteuid() == 0; {
	case m.byRoot && !root:
		if err := exec.CommandContext(ctx, "sudo", "-n", "true").Run(); err != nil {
			return errors.New("needs root, and sudo is not here or asks for a password")
		}
		sudo = []string{"sudo", "-n"}
	case !m.byRoot && root:
		return errors.New("does not work as root")
	}
	if len(m.cleanup) > 0 {
		defer func() {
			err = errors.Join(err, runStep(context.WithoutCancel(ctx), append(slices.Clip(sudo), m.cleanup...)))
		}()
	}
	for _, step := range m.steps {
		step = append(slices.Clip(sudo), step...)
		log.Info("installing Postgres", "command", strings.Join(step, " "))
		if err := runStep(ctx, step); err != nil {
			return err
		}
	}
	_, err = Find()
	return err
}

// runStep runs one command without a terminal; what it printed is in the error.
func runStep(ctx context.Context, step []string) error {
	out, err := exec.CommandContext(ctx, step[0], step[1:]...).CombinedOutput()
	if err == nil {
		return nil
	}
	text := strings.TrimSpace(string(out))
	if len(text) > 1000 {
		text = "…" + text[len(text)-1000:]
	}
	return fmt.Errorf("%s: %w\n%s", strings.Join(step, " "), err, text)
}
