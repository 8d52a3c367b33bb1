package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake is a package manager whose programs are all here; its packages are, too.
func fake(steps ...[]string) manager {
	return manager{program: "sh", byRoot: os.Geteuid() == 0, steps: steps}
}

func TestInstallRunsTheStepsAndCleansUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left, done := filepath.Join(dir, "left"), filepath.Join(dir, "done")
	m := fake([]string{"touch", left}, []string{"touch", done})
	m.cleanup = []string{"rm", left}
	if err := install(t.Context(), logger(t), []manager{{program: "no-such-manager"}, m}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(done); err != nil {
		t.Errorf("the last step was not taken: %v", err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what the cleanup removes is still there")
	}
}

func TestInstallSaysWhatItTried(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	marker := filepath.Join(dir, "marker")
	failing := fake([]string{"touch", marker}, []string{"sh", "-c", "echo no such package; exit 100"}, []string{"touch", marker + "2"})
	failing.cleanup = []string{"rm", marker}
	err := install(t.Context(), logger(t), []manager{failing})
	if err == nil || !strings.Contains(err.Error(), "no such package") || !strings.Contains(err.Error(), "exit status 100") {
		t.Errorf("the error hides the cause: %v", err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a failed installation is not cleaned up after")
	}
	if _, err := os.Stat(marker + "2"); err == nil {
		t.Error("the steps went on after a failure")
	}

	err = install(t.Context(), logger(t), []manager{{program: "no-such-manager"}, {program: "nor-this-one"}})
	if err == nil || !strings.Contains(err.Error(), "none of no-such-manager, nor-this-one is here") {
		t.Errorf("without any manager: %v", err)
	}
}

func TestHomebrewIsNotRunAsRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // nothing refuses here
	}
	m := manager{program: "sh", steps: [][]string{{"false"}}}
	if err := m.install(t.Context(), logger(t)); err == nil || !strings.Contains(err.Error(), "as root") {
		t.Errorf("the error is %v", err)
	}
}
