package config_test

import (
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/config"
)

func TestConsole(t *testing.T) {
	t.Parallel()
	const world = "0.0.0.0:8080"
	for _, c := range []struct {
		name string
		env  map[string]string
		want config.Console
		open bool
	}{
		{"default", nil, config.Console{On: true}, true},
		{"off", map[string]string{"CDRSTORE_CONSOLE": "off"}, config.Console{}, false},
		{"not on loopback", map[string]string{"CDRSTORE_LISTEN": world, "CDRSTORE_TOKEN": "t"}, config.Console{On: true}, false},
		{"not on loopback, with a token", map[string]string{"CDRSTORE_LISTEN": world, "CDRSTORE_TOKEN": "t", "CDRSTORE_CONSOLE_TOKEN": "c"}, config.Console{On: true, Token: "c"}, true},
		{"off with a token", map[string]string{"CDRSTORE_CONSOLE": "off", "CDRSTORE_CONSOLE_TOKEN": "c"}, config.Console{Token: "c"}, false},
		{"not on loopback, with a user", map[string]string{"CDRSTORE_LISTEN": world, "CDRSTORE_TOKEN": "t", "CDRSTORE_CONSOLE_USER": "u", "CDRSTORE_CONSOLE_PASSWORD": "p:p"}, config.Console{On: true, User: "u", Password: "p:p"}, true},
		{"own loopback", map[string]string{"CDRSTORE_LISTEN": world, "CDRSTORE_TOKEN": "t", "CDRSTORE_CONSOLE": "[::1]:8081"}, config.Console{On: true, Listen: "[::1]:8081"}, true},
		{"own port to the world", map[string]string{"CDRSTORE_CONSOLE": ":8081"}, config.Console{On: true, Listen: ":8081"}, false},
		{"masked", map[string]string{"CDRSTORE_CONSOLE_MASK": "on"}, config.Console{On: true, Mask: true}, true},
	} {
		got := mustLoad(t, "", c.env)
		if got.Console != c.want || got.ConsoleOpen() != c.open {
			t.Errorf("%s: %+v, open %v", c.name, got.Console, got.ConsoleOpen())
		}
	}
}

func TestConsoleFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"CDRSTORE_CONSOLE": "yes"}, "CDRSTORE_CONSOLE: "},
		{map[string]string{"CDRSTORE_CONSOLE": "127.0.0.1:http!"}, "write on, off, or an address"},
		{map[string]string{"CDRSTORE_CONSOLE": "127.0.0.1:8080"}, "the receiver's own address"},
		{map[string]string{"CDRSTORE_CONSOLE_USER": "u"}, "CDRSTORE_CONSOLE_PASSWORD is not"},
		{map[string]string{"CDRSTORE_CONSOLE_PASSWORD": "p"}, "CDRSTORE_CONSOLE_USER is not"},
		{map[string]string{"CDRSTORE_CONSOLE_USER": "a:b", "CDRSTORE_CONSOLE_PASSWORD": "p"}, "must not contain a colon"},
		{map[string]string{"CDRSTORE_CONSOLE_TOKEN": ""}, "CDRSTORE_CONSOLE_TOKEN: is set but empty"},
		{map[string]string{"CDRSTORE_CONSOLE_TOKEN": " s3cret"}, "begins or ends with white space"},
		{map[string]string{"CDRSTORE_CONSOLE_MASK": "1"}, "CDRSTORE_CONSOLE_MASK is"},
	} {
		_, err := load(t, "", c.env)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: %v", c.env, err)
		}
	}
}
