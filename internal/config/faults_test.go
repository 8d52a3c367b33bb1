package config_test

import (
	"strings"
	"testing"
)

func TestEnvironmentFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"CDRSTORE_TOKEN": ""}, "CDRSTORE_TOKEN: is set but empty"},
		{map[string]string{"CDRSTORE_TOKEN": "x\n"}, "CDRSTORE_TOKEN: begins or ends with white space"},
		{map[string]string{"CDRSTORE_LISTEN": "8080"}, "CDRSTORE_LISTEN"},
		{map[string]string{"CDRSTORE_LISTEN": "127.0.0.1:http!"}, "is not a port number"},
		{map[string]string{"CDRSTORE_LISTEN": ":8080"}, "set CDRSTORE_TOKEN"},
		{map[string]string{"CDRSTORE_CONFIG": "/nowhere/at/all.yaml"}, "read the sources file"},
	} {
		if _, err := load(t, "", c.env); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.env, err)
		}
	}
}

// Every line that follows has one fault, and all are reported at once.
func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	file := `sources:
  - name: a/b
    provider: twilio
    token: ${UNSET}
    colour: red
  - name: same
    provider: didww
    provider: wavix
    aliases: [same]
    token: ${EMPTY}
    headers: {"bad name": x, X-A: "", x-a: y, Host: z}
    basic_auth: {password: s3cret}
    allow_ips: [300.1.1.1, 10.0.0.0/99]
    currency: usd
    country: UK
    answer_events: maybe
    cost_includes_tax: partly
  - provider: voipnow
    unauthenticated: true
    token: [s3cret, ""]
    basic_auth: {username: "a:b"}
  - name: ${BAD-NAME}
    provider: wavix
    token: []
    country:
  - &anchor x
trusted_proxy: 10.0.0.1
trusted_proxies: {a: b}
`
	_, err := load(t, file, map[string]string{"EMPTY": "", "CDRSTORE_LISTEN": "nonsense", "CDRSTORE_TOKEN": ""})
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{
		"CDRSTORE_LISTEN:", "CDRSTORE_TOKEN:",
		`:2: sources[0].name: "a/b" is not a name for a URL`,
		`:3: sources[0].provider: "twilio" is not a provider; known are didww, didlogic, voipnow, piopiy, `,
		`:4: sources[0].token: ${UNSET} is not set`,
		`:5: sources[0].colour: unknown key; known are aliases, `,
		`:8: sources[1].provider: is given twice`,
		`:9: sources[1].aliases[0]: "same" is taken already, in line 6`,
		`:10: sources[1].token: is set but empty`,
		`:11: sources[1].headers.bad name: is not the name of a header`,
		`:11: sources[1].headers.X-A: is set but empty`,
		`:11: sources[1].headers.Host: is not the name of a header`,
		`sources[1].basic_auth.username: is missing`,
		`:13: sources[1].allow_ips[0]: "300.1.1.1" is not an address`,
		`:13: sources[1].allow_ips[1]: "10.0.0.0/99" is not an address`,
		`:14: sources[1].currency: "usd" is not a currency`,
		`:15: sources[1].country: "UK" is not a country`,
		`:16: sources[1].answer_events: must be true or false`,
		`:17: sources[1].cost_includes_tax: must be true, false or unknown`,
		`sources[2].name: is missing`,
		`sources[2].unauthenticated: contradicts`,
		`:20: sources[2].token[1]: is set but empty`,
		`:21: sources[2].basic_auth.username: must not be empty nor contain a colon`,
		`sources[2].basic_auth.password: is missing`,
		`:22: sources[3].name: ${BAD-NAME} is not the name of a variable`,
		`:24: sources[3].token: is an empty list`,
		`:25: sources[3].country: has no value`,
		`:26: sources[4]: must be a mapping of keys and values, not an anchor`,
		`:27: trusted_proxy: unknown key; known are sources, trusted_proxies`,
		`:28: trusted_proxies: must be a single value, not a mapping`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no fault %q", want)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Error("a fault shows a secret")
	}
	if t.Failed() {
		t.Logf("got:\n%v", err)
	}
}

func TestFaultsOfTheWholeFile(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"# nothing\n":                     "must be one YAML document",
		"sources: [{name: s3cret":         ":1: not YAML",
		"a: 1\n b: s3cret\n":              "not YAML",
		"sources: []\n":                   "sources: is an empty list",
		"sources:\n":                      "sources: must be a list of sources, not nothing",
		"sources: {name: a}\n":            "sources: must be a list of sources, not a mapping",
		"- a\n":                           "must be a mapping of keys and values, not a list",
		"sources: []\n---\nsources: []\n": "must be one YAML document",
		"sources: [a]\n":                  "sources[0]: must be a mapping of keys and values, not a single value",
		"sources: [\"\uE000\"]":           "private use area",
		"sources: [{name: a, provider: didww, headers: {}}]":                            "headers: is empty",
		"sources: [{name: a, provider: didww, headers: {A: x, a: y}}]":                  "is given twice, in another case",
		"sources: [{name: a, provider: didww, token: {a: b}}]":                          "must be a single value, not a mapping",
		"sources: [{name: a, provider: didww, country: ${C}}]":                          `"${C}" is not a country`,
		"sources: [{name: a, provider: didww}, {name: b, provider: didww, aliases: a}]": `"a" is taken already, in line 1`,
	} {
		_, err := load(t, file, map[string]string{"C": "s3cret"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: shows a secret: %v", file, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(example)
	f.Add("sources: [{name: a, provider: didww, token: ${T}}]")
	f.Add("? x\n: &a [*a, !!str y, |\n z]")
	f.Fuzz(func(t *testing.T, file string) {
		if file == "" {
			return
		}
		c, err := load(t, file, map[string]string{"T": "t", "CDRSTORE_LISTEN": ":80", "CDRSTORE_TOKEN": "t"})
		for _, s := range c.Sources {
			if err == nil && s.Open() {
				t.Errorf("open source %+v", s)
			}
		}
	})
}
