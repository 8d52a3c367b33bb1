//go:build !linux

package chaos

import (
	"errors"
	"syscall"
	"testing"
)

func endWithTests() *syscall.SysProcAttr { return nil }

func smallDisk(*testing.T, int) (string, error) {
	return "", errors.New("known on Linux only")
}
