package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// In a flow mapping, {password: ${VAR}}, YAML would read the braces of a
// variable as its own. They are therefore hidden behind characters of the
// private use area, one for one so that columns stay, until the file is parsed.
// Variables are expanded after that: their values are never read as YAML.
const (
	open   = "\uE000\uE000" // ${
	dollar = "\uE001\uE001" // $$
	shut   = "\uE002"       // }
)

var (
	hidden   = regexp.MustCompile(`\$\$|\$\{[^{}\n]*\}`)
	variable = regexp.MustCompile(open + `(.*?)` + shut)
	varName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func hide(text string) (string, error) {
	if strings.ContainsAny(text, open+dollar+shut) {
		return "", errors.New("contains characters of the private use area (U+E000 to U+E002)")
	}
	return hidden.ReplaceAllStringFunc(text, func(s string) string {
		if s == "$$" {
			return dollar
		}
		return open + s[2:len(s)-1] + shut
	}), nil
}

// written gives back what stood in the file.
func written(s string) string {
	return strings.NewReplacer(open, "${", dollar, "$$", shut, "}").Replace(s)
}

// expand puts the values of variables in their places; $$ becomes $, any other
// $ stays.
func expand(s string, lookup func(string) (string, bool)) (string, error) {
	var faults []error
	out := variable.ReplaceAllStringFunc(s, func(m string) string {
		name := variable.FindStringSubmatch(m)[1]
		value, ok := lookup(name)
		switch {
		case !varName.MatchString(name):
			faults = append(faults, fmt.Errorf("${%s} is not the name of a variable ($$ stands for one $)", written(name)))
		case !ok:
			faults = append(faults, fmt.Errorf("${%s} is not set in the environment", name))
		}
		return value
	})
	return strings.ReplaceAll(out, dollar, "$"), errors.Join(faults...)
}
