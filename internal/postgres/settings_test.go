package postgres

import (
	"maps"
	"os"
	"regexp"
	"testing"
)

func TestComposeHasTheSameSettings(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	compose := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^ +- -c(\w+)=(\S+)$`).FindAllStringSubmatch(string(text), -1) {
		compose[m[1]] = m[2]
	}
	if local := settings(Options{}, 0); !maps.Equal(local, compose) {
		t.Errorf("docker-compose.yml has\n%v, the local server\n%v", compose, local)
	}
}

func TestFormatSettingsQuotes(t *testing.T) {
	t.Parallel()
	want := "a = 'it''s'\nb = '1'\n"
	if got := formatSettings(map[string]string{"b": "1", "a": "it's"}); got[len(got)-len(want):] != want {
		t.Errorf("got %q", got)
	}
}

func TestComposeURL(t *testing.T) {
	t.Parallel()
	got, err := composeURL("127.0.0.1:54320", "CDRSTORE_TOKEN=t\nPOSTGRES_PASSWORD='p@ss/1'\n")
	if want := "postgres://cdrstore:p%40ss%2F1@127.0.0.1:54320/cdrstore?sslmode=disable"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := composeURL("127.0.0.1:1", "CDRSTORE_TOKEN=t\n"); err == nil {
		t.Error("no password, no error")
	}
}

func TestSharedBuffers(t *testing.T) {
	t.Parallel()
	const mb, gb = 1 << 20, 1 << 30
	for memory, want := range map[int64]string{
		0: "256MB", 300 * mb: "64MB", gb: "128MB", 16 * gb: "2048MB", 512 * gb: "4096MB",
	} {
		if got := sharedBuffers(memory); got != want {
			t.Errorf("with %d MB of memory %s, want %s", memory/mb, got, want)
		}
	}
}
