package config_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/config"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	load := func(env map[string]string) (config.Config, error) {
		return config.Load(func(name string) (string, bool) {
			v, ok := env[name]
			return v, ok
		})
	}
	c, err := load(nil)
	if err != nil || !c.Spool || c.SpoolBytes != 8<<30 || c.Late != 5*time.Second || c.Stop != 20*time.Second || c.Log != slog.LevelInfo {
		t.Errorf("defaults: %+v, %v", c, err)
	}
	c, err = load(map[string]string{"CDRSTORE_SPOOL": "off", "CDRSTORE_SPOOL_SIZE": "64MiB", "CDRSTORE_LATE": "250ms", "CDRSTORE_STOP": "1m", "CDRSTORE_LOG": "Debug"})
	if err != nil || c.Spool || c.SpoolBytes != 64<<20 || c.Late != 250*time.Millisecond || c.Stop != time.Minute || c.Log != slog.LevelDebug {
		t.Errorf("set: %+v, %v", c, err)
	}
	_, err = load(map[string]string{"CDRSTORE_SPOOL": "yes", "CDRSTORE_SPOOL_SIZE": "64", "CDRSTORE_LATE": "5", "CDRSTORE_STOP": "0s", "CDRSTORE_LOG": "info+2"})
	for _, name := range []string{"CDRSTORE_SPOOL is", "CDRSTORE_SPOOL_SIZE", "CDRSTORE_LATE", "CDRSTORE_STOP", "CDRSTORE_LOG"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}
