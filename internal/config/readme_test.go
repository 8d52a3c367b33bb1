package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/config"
)

// TestReadmeExample loads the file that the README shows, word for word.
func TestReadmeExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, found := strings.Cut(example, "```")
	if !found {
		t.Fatal("the README shows no file of sources")
	}
	path := filepath.Join(t.TempDir(), "sources.yaml")
	if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"CDRSTORE_CONFIG": path, "DIDWW_PASSWORD": "password", "DIDWW_TOKEN": "header", "HOOK_TOKEN": "token",
	}
	c, err := config.Load(func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	s := c.Sources[0]
	if len(c.Sources) != 1 || s.BasicAuth.Passwords[0] != "password" || s.Tokens[0] != "token" ||
		s.Settings.Currency != "USD" || s.Settings.Country != "GB" || len(s.AllowIPs) != 2 || len(c.TrustedProxies) != 1 {
		t.Errorf("not what the file says: %+v", c)
	}
}
